"""Reorganisations of every depth at every stage: each request ends once, and the ledger is the
chain's."""

import asyncio

import pytest
from pytest_django import Settings
from structlog.testing import capture_logs

from chains import registry as adapters
from fairlane.core import switches
from fairlane.core.models import Event, Switch
from fairlane.core.threads import in_thread
from sandbox import evm
from sandbox.evm import DEPLOYER, HOLDERS
from stablecoin import ledger, registry
from stablecoin.listening import cursors
from stablecoin.listening.evm import ChainListener
from stablecoin.models import (
    Attempt,
    ChainBlock,
    ChainLog,
    ChainState,
    ListenerCursor,
    Request,
    Transaction,
)
from stablecoin.tests import driving
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)

DEEPEST = 12
FATES = ("keep", "drop")
WAY = ["RECEIVED", "QUEUED", "SIGNING", "SIGNED", "SUBMITTED", "MINED"]


@pytest.fixture
def patient(settings: Settings) -> int:
    """Confirmations that no reorganisation of these tests reaches behind."""
    settings.STABLECOIN_CONFIRMATIONS = DEEPEST
    return DEEPEST


def holding(outside: Outside, tokens: int) -> None:
    """The first holder has this many, minted by Fairlane and final."""
    outside.approve(user=HOLDERS[0].address, amount=str(tokens * TOKEN))
    driving.hear(outside)
    driving.admit_and_sign()
    driving.complete(outside, DEEPEST)


def redeeming(outside: Outside) -> Request:
    """A redeem that was asked for on chain for good, and waits for the relayer."""
    outside.redeem(HOLDERS[0], 4 * TOKEN)
    outside.mine(DEEPEST)
    driving.listen()
    driving.admit_and_sign()
    return Request.objects.get(kind="redeem", status="SIGNED")


def statuses(*requests: Request) -> list[str]:
    return [Request.objects.get(id=request.id).status for request in requests]


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("depth", range(1, DEEPEST + 1))
def test_whatever_is_undone_ends_once(
    outside: Outside, patient: int, depth: int, fate: str
) -> None:
    """A mint and a redeem that are sent, then mined, and a redeem that was seen on chain only."""
    holding(outside, 10)
    redeem = redeeming(outside)
    (mint,) = driving.signed(outside)
    driving.relay()
    outside.reorg(depth, fate)
    driving.age()
    driving.relay()
    assert statuses(mint, redeem) == ["SUBMITTED"] * 2

    seen = outside.redeem(HOLDERS[0], TOKEN)
    outside.mine(depth - 1)
    driving.relay()
    driving.listen()
    assert statuses(mint, redeem) == ["MINED"] * 2
    assert ChainLog.objects.filter(applied_at=None).count() == 3
    outside.reorg(depth, fate)
    driving.relay()
    driving.listen()
    stays = fate == "keep"
    assert statuses(mint, redeem) == ["MINED" if stays else "SUBMITTED"] * 2
    assert ChainLog.objects.filter(applied_at=None).count() == (3 if stays else 0)
    assert not Request.objects.filter(lock_hash=seen).exists()

    driving.age()
    driving.finish(outside, DEEPEST)
    for request in (mint, redeem):
        # What was undone is told of, and once.
        assert driving.history(request.id) == [*WAY, "SUBMITTED", "MINED", "COMPLETED"]
        assert Transaction.objects.filter(request=request).count() == 1
        assert (
            ChainLog.objects.filter(request_id=request.request_id)
            .exclude(kind="redeem_requested")
            .count()
            == 1
        )
    assert Request.objects.filter(lock_hash=seen).count() == (1 if stays else 0)
    assert outside.supply == (10 + 1 - 4) * TOKEN
    assert ledger.balances(CHAIN)["locked"] == (TOKEN if stays else 0)
    driving.assert_books_agree(outside)
    assert not Transaction.objects.exclude(state="FINAL").exists()


def test_what_was_final_is_never_undone(outside: Outside) -> None:
    """Deeper than the confirmations: people have to look, and until then nothing goes on."""
    driving.listen()
    (minted,) = driving.signed(outside)
    driving.finish(outside)
    assert statuses(minted) == ["COMPLETED"]
    books = ledger.balances(CHAIN)
    (waits,) = driving.signed(outside)
    outside.reorg(8, "drop")
    assert outside.supply == 0
    outside.mine(3)
    with capture_logs() as told:
        adapters.run(listen_until_paused())
    assert "listener.deep_reorganisation" in {entry["event"] for entry in told}
    assert statuses(minted) == ["COMPLETED"]
    assert ledger.balances(CHAIN) == books
    assert "taken for final" in ChainState.objects.get().error
    assert "taken for final" in Switch.objects.get(name=f"stablecoin.chain.{CHAIN}").reason
    switches.forget()
    driving.relay()
    assert statuses(waits) == ["SIGNED"]
    assert Transaction.objects.filter(request=waits).count() == 0


async def listen_until_paused() -> None:
    """Run the listener until it has paused its chain."""
    stopping = asyncio.Event()
    listener = asyncio.create_task(ChainListener(await chain(), stopping).run())
    try:
        async with asyncio.timeout(20):
            while not await in_thread(Switch.objects.filter(on=False).exists)():
                await asyncio.sleep(0.02)
    finally:
        stopping.set()
        await listener


async def chain() -> registry.ChainInfo:
    return (await in_thread(registry.chains)())[CHAIN]


def test_a_young_contract_survives_a_reorganisation(outside: Outside, patient: int) -> None:
    """Nothing of it was final yet, so nothing that was taken for final can be undone."""
    (mint,) = driving.signed(outside)
    driving.relay()
    outside.mine()
    driving.listen()
    assert ChainLog.objects.count() == 1
    outside.reorg(1, "keep")
    driving.listen()
    driving.finish(outside, DEEPEST)
    assert statuses(mint) == ["COMPLETED"]
    assert switches.is_on(f"stablecoin.chain.{CHAIN}")
    driving.assert_books_agree(outside)


def test_a_chain_that_turns_between_two_looks_leaves_nothing_behind(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The position was still on the chain; the logs after it are of another fork already."""
    driving.listen()
    driving.signed(outside)
    driving.relay()
    outside.mine()
    driving.listen()
    assert ChainLog.objects.count() == 1
    listener = ChainListener(registry.chains()[CHAIN], asyncio.Event())
    look = listener._on_the_chain

    async def look_and_turn(start: cursors.Position) -> cursors.Position:
        found = await look(start)
        await in_thread(outside.reorg)(2, "drop")
        return found

    outside.mine()
    monkeypatch.setattr(listener, "_on_the_chain", look_and_turn)
    with pytest.raises(cursors.Moved):
        adapters.run(listener.round())
    outside.mine(6)
    driving.listen()
    assert not ChainLog.objects.exists()
    assert ledger.balances(CHAIN)["issued"] == outside.supply == 0


def test_a_provider_that_is_a_block_late_undoes_nothing(outside: Outside) -> None:
    driving.listen()
    (mint,) = driving.signed(outside)
    driving.relay()
    outside.mine()
    driving.relay()
    driving.listen()
    at = ListenerCursor.objects.get().number
    for node in ("a", "b"):
        evm.knobs(outside.evm.url, CHAIN, node, lag_blocks=1)
    adapters.forget()
    driving.relay()
    driving.listen()
    assert statuses(mint) == ["MINED"]
    assert ListenerCursor.objects.get().number == at
    assert ChainBlock.objects.filter(number=at).exists()
    assert ChainLog.objects.count() == 1


def test_a_mint_that_fails_on_the_new_fork_is_taken_back_and_tried_again(outside: Outside) -> None:
    (mint,) = driving.signed(outside)
    driving.relay()
    outside.mine()
    driving.relay()
    assert statuses(mint) == ["MINED"]
    outside.reorg(1, "drop")
    outside.transact(DEPLOYER, outside.token.functions.pause())
    raw = bytes(Attempt.objects.get().raw)
    outside.web3.eth.send_raw_transaction(raw)
    outside.mine()
    driving.relay()
    assert Transaction.objects.get().succeeded is False
    assert statuses(mint) == ["SUBMITTED"]
    outside.mine(5)
    driving.relay()
    assert statuses(mint) == ["SIGNED"]
    outside.transact(DEPLOYER, outside.token.functions.unpause())
    driving.make_due()
    driving.finish(outside)
    assert statuses(mint) == ["COMPLETED"]
    assert outside.supply == TOKEN
    driving.assert_books_agree(outside)


def test_a_nonce_that_was_overtaken_on_a_lost_fork_counts_from_the_start(outside: Outside) -> None:
    """Else it would be given up at once when it is overtaken the next time."""
    (mint,) = driving.signed(outside)
    driving.relay()
    Transaction.objects.update(overtaken_at=1)
    outside.mine()
    driving.relay()
    assert statuses(mint) == ["MINED"]
    assert Transaction.objects.get().overtaken_at is None


def test_events_of_a_request_say_why_it_went_back(outside: Outside) -> None:
    (mint,) = driving.signed(outside)
    driving.relay()
    outside.mine()
    driving.relay()
    outside.reorg(1, "drop")
    driving.relay()
    event = Event.objects.filter(object_id=mint.id).latest("seq")
    assert (event.status, event.data) == ("SUBMITTED", {"reason": "its block was undone"})
