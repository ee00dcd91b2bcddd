"""Drive the stages by hand, in one process, against the real node."""

from typing import Any
from uuid import UUID

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from batches import acceptance, coordinator, ledger, offers, timekeeping
from batches.models import Batch, BatchOrder, BookEntry, Market, Transfer
from batches.records import Order, OrderType, Side, TimeInForce
from batches.states import OPEN_ORDER
from batches.tests.outside import BASE, OWNERS, QUOTE, Chain
from batches.tests.waiting import until
from chains import registry as adapters
from fairlane.core.principals import ALL, SCOPES, Principal

TRADER = Principal("key", "1", "tests", frozenset(SCOPES), ALL)
_nonces = iter(range(1, 1 << 62))


def signed(market: Market, owner: Keypair = OWNERS[0], **changes: Any) -> dict[str, str]:
    """The body of a request for an order: by default, buy 10 lots at 500 ticks."""
    values: dict[str, Any] = {
        "market": bytes(Pubkey.from_string(market.address)),
        "owner": bytes(owner.pubkey()),
        "nonce": next(_nonces),
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.ROLL,
        "max_fee_bps": market.fee_bps,
        "limit": 500,
        "quantity": 10,
        "expiry_slot": 10**9,
        "from_slot": 0,
    }
    record = bytes(Order(**{**values, **changes}))
    return {"record": record.hex(), "signature": str(owner.sign_message(record))}


def place(market: Market, owner: Keypair = OWNERS[0], **changes: Any) -> BatchOrder:
    """Plan, and accept an order."""
    coordinator.plan()
    offer = offers.read(market, signed(market, owner, **changes), by=TRADER)
    (id_,) = acceptance.accept(market.id, [offer], by=TRADER.ref)
    return BatchOrder.objects.get(id=id_)


def accept(market: Market, body: dict[str, str]) -> UUID:
    """Accept what is signed already."""
    offer = offers.read(market, body, by=TRADER)
    return acceptance.accept(market.id, [offer], by=TRADER.ref)[0]


def read(order: BatchOrder) -> BatchOrder:
    return BatchOrder.objects.get(id=order.id)


def once() -> None:
    """A pass over everything that there is to do."""
    coordinator.plan()
    coordinator.reserve()
    coordinator.advance()


def run_until(done: Any) -> None:
    """Passes, until something is so."""

    def step() -> bool:
        once()
        return bool(done())

    until(step)


def escrowed(*orders: BatchOrder) -> None:
    run_until(lambda: all(read(order).status != "ESCROWING" for order in orders))


def settled(batch_id: UUID) -> Batch:
    run_until(lambda: Batch.objects.filter(id=batch_id, status="SETTLED").exists())
    return Batch.objects.get(id=batch_id)


def quiet() -> None:
    """Until no money is on its way."""
    run_until(lambda: not Transfer.objects.filter(status__in=["DUE", "PACKED"]).exists())


def assert_books_agree(chain: Chain, vault_before: tuple[int, int] = (0, 0)) -> None:
    """Vault = ledger, the ledger sums to nothing, escrow is what the orders have left, and the
    book has those that are open."""
    for which, before in zip((BASE, QUOTE), vault_before, strict=True):
        books = ledger.balances(str(which.mint))
        assert sum(books.values()) == 0
        assert books["vault"] == chain.vault(which) - before
    left: dict[str, int] = {str(BASE.mint): 0, str(QUOTE.mint): 0}
    open_orders = BatchOrder.objects.filter(status__in=OPEN_ORDER).values_list("id", flat=True)
    assert set(BookEntry.objects.values_list("order_id", flat=True)) == set(open_orders)
    for order in BatchOrder.objects.select_related("market"):
        mint = order.market.quote_mint if order.side == Side.BUY else order.market.base_mint
        left[mint] += int(order.escrow_left)
    for mint, amount in left.items():
        assert -ledger.balances(mint)["escrow"] == amount


def final() -> None:
    """Until what is confirmed is final, and the slots of the batches that have ended."""
    node = adapters.solana()
    settled = Batch.objects.filter(status="SETTLED").order_by("-tick__target_slot")
    target = settled.values_list("tick__target_slot", flat=True).first() or 0
    slot = max(target, adapters.run(node.slot("confirmed")))
    until(lambda: adapters.run(node.slot("finalized")) >= slot)


def moment() -> timekeeping.Now:
    return timekeeping.now()
