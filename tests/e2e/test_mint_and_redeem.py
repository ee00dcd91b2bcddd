"""Money from the compliance service's word to the chain, and back, through real processes."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from sandbox.evm import HOLDERS, OUTSIDER
from tests.evm import TOKEN
from tests.issuance import WAY, Issuance, mint
from tests.stack import STABLECOIN, Stack, running_stack

FIRST, SECOND = 5920, 5921
# In tokens. The caps are the second chain's, so that nobody else's mints use them up.
FOUR_EYES_ABOVE = 1_000
PER_REQUEST = 2_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("issuance")
    with running_stack(folder, chains=[FIRST, SECOND]) as stack:
        limits = ["--four-eyes-above", str(FOUR_EYES_ABOVE), "--per-request-cap", str(PER_REQUEST)]
        stack.manage(["set_limits", str(SECOND), *limits])
        stack.start(*STABLECOIN, "worker-default", "beat")
        yield stack


@pytest.fixture(scope="module")
def shared(stack: Stack) -> Issuance:
    return Issuance(stack)


@pytest_asyncio.fixture
async def issuance(shared: Issuance) -> AsyncIterator[Issuance]:
    """The stack's issuance; what a test has asked for is accounted for at its end."""
    await shared.give_tokens()
    yield shared
    await shared.give_account()


async def test_a_mint_and_a_redeem_on_several_chains_at_once(issuance: Issuance) -> None:
    names = [*issuance.approve_some(3, chain=FIRST), *issuance.approve_some(3, chain=SECOND)]
    await issuance.reached(names, "COMPLETED")
    for name in names:
        assert issuance.history(name) == WAY
    for chain in issuance.stack.chains.values():
        issuance.redeem(HOLDERS[0], TOKEN // 2, chain=chain)
        issuance.redeem(HOLDERS[1], TOKEN // 4, chain=chain)
    await issuance.give_account()
    redeems = issuance.rows("SELECT request_id FROM stablecoin_request WHERE kind = 'redeem'")
    assert {tuple(issuance.history(name)) for (name,) in redeems} == {tuple(WAY)}


async def test_who_was_not_identified_gets_nothing(issuance: Issuance) -> None:
    await _is_refused(issuance, "kyc", mint(OUTSIDER, TOKEN, chain=FIRST))


async def test_more_than_the_cap_is_refused(issuance: Issuance) -> None:
    too_much = mint(HOLDERS[0], (PER_REQUEST + 1) * TOKEN, chain=SECOND)
    await _is_refused(issuance, "per_request_cap", too_much)


async def _is_refused(issuance: Issuance, rule: str, asked: dict[str, object]) -> None:
    (name,) = issuance.approve(asked)
    issuance.refused.add(name)
    await issuance.reached([name], "REJECTED")
    found = issuance.rows("SELECT rule FROM stablecoin_request WHERE request_id = %s", name)
    assert found == [(rule,)]


async def test_two_people_have_to_agree_to_much(issuance: Issuance) -> None:
    (name,) = issuance.approve(mint(HOLDERS[0], (FOUR_EYES_ABOVE + 1) * TOKEN, chain=SECOND))
    await issuance.reached([name], "AWAITING_APPROVAL")
    issuance.agree(name)
    await issuance.reached([name], "COMPLETED")
    assert issuance.history(name) == ["RECEIVED", "AWAITING_APPROVAL", *WAY[1:]]


async def test_the_same_word_again_changes_nothing(issuance: Issuance) -> None:
    (name,) = issuance.approve_some(1)
    await issuance.reached([name], "COMPLETED")
    issuance.repeat(name)
    (later,) = issuance.approve_some(1)
    await issuance.reached([later], "COMPLETED")
    assert issuance.history(name) == WAY
    assert name not in dict(issuance.frames("conflict"))


async def test_other_content_brings_a_request_before_a_person(issuance: Issuance) -> None:
    issuance.switch("stablecoin", on=False)
    (name,) = issuance.approve_some(1)
    await issuance.reached([name], "RECEIVED")
    issuance.repeat(name, amount=str(2 * TOKEN))
    await issuance.reached([name], "REVIEW")
    issuance.refused.add(name)
    assert dict(issuance.frames("conflict"))[name] == "the request has other content"
    issuance.switch("stablecoin", on=True)


async def test_frames_that_mean_nothing_are_kept_and_stop_nobody(issuance: Issuance) -> None:
    issuance.turn_kuro(malformed=1.0)
    names = [name for _ in range(4) for name in issuance.approve_some(1)]
    issuance.turn_kuro(malformed=0.0)
    await issuance.reached(names, "COMPLETED")
    assert issuance.frames("rejected")


async def test_frames_come_twice_out_of_order_or_never(issuance: Issuance) -> None:
    issuance.turn_kuro(duplicates=1.0, out_of_order=0.5, drop=0.2)
    names = [name for _ in range(12) for name in issuance.approve_some(1)]
    issuance.turn_kuro(duplicates=0.0, out_of_order=0.0, drop=0.0)
    # Whoever connects anew reads what it missed.
    issuance.disconnect()
    await issuance.reached(names, "COMPLETED")


async def test_an_outage_of_the_compliance_service_loses_nothing(issuance: Issuance) -> None:
    issuance.take_kuro_down(ms=3_000)
    names = issuance.approve_some(5)
    await issuance.reached(names, "COMPLETED")


async def test_people_pause_everything_and_let_it_go_on(issuance: Issuance) -> None:
    issuance.switch("stablecoin", on=False)
    minted = issuance.chain.supply()
    names = issuance.approve_some(2)
    issuance.redeem(HOLDERS[2], TOKEN // 10)
    held = "SELECT 1 FROM stablecoin_request WHERE kind = 'redeem' AND status = 'RECEIVED'"
    await issuance.when(lambda: issuance.rows(held), "the redeem is heard of")
    await issuance.reached(names, "RECEIVED")
    # What could be taken has been looked at, and put off.
    put_off = "SELECT 1 FROM core_work WHERE stage = 'stablecoin.admit' AND due_at > now()"
    await issuance.when(lambda: len(issuance.rows(put_off)) == 3, "all wait")
    assert issuance.chain.supply() == minted
    issuance.switch("stablecoin", on=True)


async def test_the_books_agree(issuance: Issuance) -> None:
    (printed,) = issuance.stack.manage(["reconcile", "--json"])
    sides = [json.loads(line) for line in printed.splitlines()]
    assert [side["chainId"] for side in sides] == [FIRST, SECOND]
    assert all(side["agree"] for side in sides)
