"""The listener makes up for what it missed: in ranges that providers allow, once, all of it."""

import asyncio
from collections.abc import Iterator

import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from pytest_django import Settings
from structlog.testing import capture_logs

from chains import registry as adapters
from chains.errors import ChainError
from sandbox import evm
from sandbox.evm import DEPLOYER, HOLDERS
from stablecoin import ledger, registry
from stablecoin.listening import applying, cursors
from stablecoin.listening.cursors import Moved
from stablecoin.listening.evm import ChainListener
from stablecoin.models import ChainLog, ListenerCursor, Request
from stablecoin.tests import driving
from stablecoin.tests.liar import Answer, Liar, Params, lying
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = 10_000
REDEEMS_PER_CALL = 200
GAS_PER_REDEEM = 145_000


@pytest.fixture
def liar(outside: Outside, settings: Settings) -> Iterator[Liar]:
    """The only provider."""
    with lying(outside.rpc_urls[0]) as liar:
        driving.use(settings, liar.url)
        yield liar


def mint(outside: Outside, tokens: int = 1) -> None:
    """One mint by Fairlane that is final, and that no listener has looked at."""
    outside.approve(user=HOLDERS[0].address, amount=str(tokens * TOKEN))
    driving.hear(outside)
    driving.admit_and_sign()
    driving.relay()
    outside.mine()
    driving.relay()
    outside.mine(5)
    driving.relay()


def catch_up(most: int = 200) -> int:
    """Rounds until the listener is at the head, whatever it is refused; returns how many."""
    listener = ChainListener(registry.chains()[CHAIN], asyncio.Event())
    for count in range(1, most + 1):
        try:
            if not adapters.run(listener.round()):
                return count
        except ChainError:
            adapters.forget()
            listener._node = adapters.evm(CHAIN)
    raise AssertionError("it does not come to the head")


def redeemer(outside: Outside) -> str:
    """A contract that gives up one base unit as often as its call data says.

    while n: token.requestRedeem(1), n -= 1
    """
    token = outside.contract[2:].lower()
    selector = keccak(text="requestRedeem(uint256)")[:4].hex()
    code = (
        f"63{selector}60e01b600052"  # mem[0..4] = the function
        "6001600452"  # mem[4..36] = 1
        "600035"  # n
        "5b8015604257"  # loop: leave where n is 0
        f"6000600060246000600073{token}5af150"  # call, forget whether it went well
        "60019003601356"  # n - 1, once more
        "5b00"
    )
    address = to_checksum_address("0x" + "be" * 20)
    evm.rpc(outside.evm.url, CHAIN, "anvil_setCode", address, "0x" + code)
    return str(address)


@pytest.mark.parametrize("dialect", ["anvil", "geth", "reth", "erigon", "nethermind", "besu"])
def test_ranges_shrink_to_what_a_provider_allows(outside: Outside, dialect: str) -> None:
    """In blocks, and in logs, in the words of each."""
    mint(outside, 5)
    for _ in range(3):
        outside.redeem(HOLDERS[0], TOKEN)
    outside.mine(30)
    for node in ("a", "b"):
        knobs = {"dialect": dialect, "max_log_range": 7, "max_log_results": 1}
        evm.knobs(outside.evm.url, CHAIN, node, **knobs)
    catch_up()
    assert ledger.balances(CHAIN) == {
        "issued": -5 * TOKEN,
        "circulating": 2 * TOKEN,
        "locked": 3 * TOKEN,
    }


def test_a_range_that_is_never_answered_is_asked_for_in_parts(outside: Outside, liar: Liar) -> None:
    """Nothing says that it was too large: whoever is in the way only gives up."""
    mint(outside)
    outside.mine(60)
    asked = []

    def gives_up(method: str, params: Params, answer: Answer) -> Answer:
        if method == "eth_getLogs":
            (query,) = params
            asked.append(int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1)
            if asked[-1] > 20:
                error = {"code": -32603, "message": "Internal error"}
                return {"jsonrpc": "2.0", "id": answer["id"], "error": error}
        return answer

    liar.tale = gives_up
    catch_up()
    assert max(asked) > 20
    assert -ledger.balances(CHAIN)["issued"] == TOKEN


def test_logs_that_come_twice_are_entered_once(outside: Outside, liar: Liar) -> None:
    mint(outside)

    def twice(method: str, params: Params, answer: Answer) -> Answer:
        return answer | ({"result": answer["result"] * 2} if method == "eth_getLogs" else {})

    liar.tale = twice
    driving.listen()
    assert ChainLog.objects.count() == 1
    driving.assert_books_agree(outside)


def test_blocks_that_a_provider_does_not_have_yet_are_not_passed_over(
    outside: Outside, settings: Settings
) -> None:
    """It would answer that they have no logs, and is asked no further than its own head."""
    settings.STABLECOIN_CONFIRMATIONS = 1
    driving.listen()
    mint(outside)
    for node in ("a", "b"):
        evm.knobs(outside.evm.url, CHAIN, node, lag_blocks=6)
    adapters.forget()
    driving.listen()
    assert not ChainLog.objects.exists()
    evm.heal(outside.evm.url, CHAIN)
    adapters.forget()
    driving.listen()
    driving.assert_books_agree(outside)
    assert -ledger.balances(CHAIN)["issued"] == TOKEN


def test_a_head_from_one_and_logs_from_another_that_lacks_it(
    outside: Outside, settings: Settings
) -> None:
    """The first provider loses its blocks in mid-round; the second is two late, and refuses."""
    driving.listen()
    at = ListenerCursor.objects.get().number
    mint(outside)
    with lying(outside.rpc_urls[0]) as first:
        driving.use(settings, first.url, outside.rpc_urls[1])

        def ends(method: str, params: Params, answer: Answer) -> Answer:
            if method != "eth_getBlockByNumber" or params[0] == "latest":
                return answer
            evm.knobs(outside.evm.url, CHAIN, "b", lag_blocks=2)
            return answer | {"result": None}

        first.tale = ends
        listener = ChainListener(registry.chains()[CHAIN], asyncio.Event())
        with pytest.raises(ChainError):
            adapters.run(listener.round())
    assert ListenerCursor.objects.get().number == at


def test_two_listeners_at_once_enter_everything_once(outside: Outside) -> None:
    driving.listen()
    mint(outside, 5)
    for _ in range(4):
        outside.redeem(HOLDERS[0], TOKEN)
        outside.mine(2)
    outside.mine(5)
    chain = registry.chains()[CHAIN]
    listeners = [ChainListener(chain, asyncio.Event()) for _ in range(3)]
    for listener in listeners:
        listener._range = 2

    async def follow(listener: ChainListener) -> None:
        behind = True
        while behind:
            try:
                behind = await listener.round()
            except Moved:
                continue

    async def together() -> None:
        await asyncio.gather(*(follow(listener) for listener in listeners))

    adapters.run(together())
    driving.listen()
    assert ChainLog.objects.filter(applied_at=None).count() == 0
    assert ChainLog.objects.count() == 5
    driving.assert_books_agree(outside)


def test_ten_thousand_events_are_caught_up_with(outside: Outside) -> None:
    """In sets: a crowd of redeems that were asked for while nobody listened."""
    contract = redeemer(outside)
    outside.transact(DEPLOYER, outside.registry.functions.setVerified([contract], True))
    mint(outside)
    outside.transact(HOLDERS[0], outside.token.functions.transfer(contract, EVENTS))
    for _ in range(EVENTS // REDEEMS_PER_CALL):
        outside.call_plainly(
            HOLDERS[0],
            contract,
            REDEEMS_PER_CALL.to_bytes(32),
            gas=REDEEMS_PER_CALL * GAS_PER_REDEEM,
        )
    assert outside.token.functions.lockedAmount().call() == EVENTS
    outside.mine(5)
    catch_up()
    assert Request.objects.filter(kind="redeem", status="RECEIVED").count() == EVENTS
    assert ledger.balances(CHAIN)["locked"] == EVENTS
    driving.assert_books_agree(outside)


def log_of(outside: Outside, **values: object) -> ChainLog:
    """An event in the next block after what was applied."""
    at = ListenerCursor.objects.get().applied + 1
    told = {
        "chain_id": CHAIN,
        "transaction_hash": f"0x{1:064x}",
        "log_index": 0,
        "block_number": at,
        "block_hash": f"0x{2:064x}",
        "kind": "redeem_requested",
        "request_id": "r",
        "wallet": HOLDERS[0].address,
        "amount": 1,
    }
    return ChainLog.objects.create(**told | values)


def test_a_holder_who_gives_up_nothing_stops_nobody(outside: Outside) -> None:
    """Not every contract design refuses that."""
    driving.listen()
    log = log_of(outside, amount=0)
    with capture_logs() as told:
        applying.apply(registry.chains()[CHAIN], log.block_number - 1, log.block_number)
    assert [e["event"] for e in told] == ["listener.unexpected_event"]
    assert cursors.position(registry.chains()[CHAIN]).applied == log.block_number
    assert not Request.objects.exists()
    log.refresh_from_db()
    assert log.problem
