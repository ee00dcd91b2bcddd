"""Batches as they are published, made of the rows: the same rows give the same bytes."""

from collections.abc import Iterable, Sequence

from solders.pubkey import Pubkey

from batches import lineage
from batches.bundle import Bundle, Payout, TickTree
from batches.clearing import Batch as Records
from batches.clearing import Result
from batches.models import Batch, BatchFill, Tick, Transfer
from batches.records import LEAF_SIZE, Fill, Header, Leaf
from fairlane.core.errors import not_found

# Batches back that a request looks at: an order that waits is in every one, unless its market is
# paused.
LOOK_BACK = 50
# Statuses of batches that nothing has been decided about: they are known when they have cleared.
_SECRET = ("PLANNED", "CLOSED", "COMMITTED")


def committed(batch: Batch) -> Records:
    """What a batch has committed to, from its bytes."""
    data = bytes(batch.leaves or b"")
    leaves = [Leaf.parse(data[at : at + LEAF_SIZE]) for at in range(0, len(data), LEAF_SIZE)]
    return Records(Header.parse(bytes(batch.header or b"")), leaves)


def bundle(batch: Batch) -> Bundle:
    """What anyone needs to check the batch.

    Raises:
        Problem: 404, it is not published yet, or had no orders to publish.
    """
    if batch.header is None or batch.status in _SECRET:
        raise not_found(_unpublished(batch))
    inputs = committed(batch)
    fills = tuple(_fills(batch))
    result = Result(batch.price, batch.pool_lots, batch.pool_quote, fills)
    tick = batch.tick
    return Bundle(
        header=inputs.header,
        leaves=tuple(inputs.leaves),
        name=batch.market.name,
        coordinator=batch.market.coordinator,
        receipt_key=batch.market.receipt_key,
        base_mint=batch.market.base_mint,
        quote_mint=batch.market.quote_mint,
        tick=tick_tree(batch),
        result=result,
        result_root=bytes(batch.result_root) if batch.result_root else result.root,
        pool_used=batch.pool_used,
        payouts=tuple(_payouts(batch)),
        anchor=tick.anchor_signature if tick.anchor_slot is not None else None,
        settled=batch.status == "SETTLED",
        settlements=tuple(_settlements(batch)),
    )


def _unpublished(batch: Batch) -> str:
    if batch.status in _SECRET:
        return "The batch is not published yet"
    return f"The batch is {batch.status} from before its orders were fixed: nothing is published"


def earlier(batch: Batch, published: Bundle, *, most: int | None = LOOK_BACK) -> list[Bundle]:
    """The batches that left what this one took over, and all between, the newest first; none where
    it is the market's first.

    Args:
        most: batches back that are looked at; None for all.
    """
    needs = lineage.needs(published)
    found: list[Bundle] = []
    before = Batch.objects.filter(market=batch.market_id, number__lt=batch.number)
    before = before.exclude(header=None).exclude(status__in=_SECRET).order_by("-number")
    # One by one, because most often the first is enough; which is looked at even where the batch
    # says that there is none.
    for id_ in before.values_list("id", flat=True)[:most]:
        found.append(bundle(Batch.objects.select_related("market", "tick").get(id=id_)))
        needs = needs.without(found[-1])
        if not needs:
            break
    return found


def _fills(batch: Batch) -> Iterable[Fill]:
    rows = BatchFill.objects.filter(batch=batch).select_related("order")
    # The order of the leaves.
    for row in sorted(rows, key=lambda row: bytes(row.order.hash)):
        yield Fill(bytes(row.order.hash), row.lots, row.quote, row.fee, row.surplus)


def tick_tree(batch: Batch) -> TickTree:
    """What the batch's tick has put on chain."""
    tick = batch.tick
    headers = Batch.objects.filter(tick=tick).exclude(index=None).order_by("index")
    closed = Tick.objects.filter(cadence_ms=tick.cadence_ms, number__lt=tick.number)
    before = closed.exclude(root=None).order_by("-number").first()
    has_anchor = before is not None and before.anchor_slot is not None
    return TickTree(
        tick.number,
        bytes(tick.root or b""),
        tuple(bytes(header or b"") for header in headers.values_list("header", flat=True)),
        bytes(tick.previous or b""),
        before.anchor_signature if before is not None and has_anchor else None,
    )


def _payouts(batch: Batch) -> Sequence[Payout]:
    sums: dict[bytes, list[int]] = {}
    rows = Transfer.objects.filter(batch=batch).values_list("wallet", "mint", "amount")
    for wallet, mint, amount in rows:
        both = sums.setdefault(bytes(Pubkey.from_string(wallet)), [0, 0])
        both[mint == batch.market.quote_mint] += int(amount)
    return [Payout(owner, base, quote) for owner, (base, quote) in sorted(sums.items())]


def _settlements(batch: Batch) -> list[str]:
    landed = Transfer.objects.filter(batch=batch, status="DONE")
    return sorted(set(landed.values_list("packet__signature", flat=True)))
