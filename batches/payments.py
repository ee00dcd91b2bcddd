"""What a published batch pays, and whether the chain has paid it.

Owners get what their fills bring, and what is left of the escrow of orders that end. How much that
is at least follows from the orders, and at most too, unless one has taken over the larger escrow of
another that it replaced: so more than that proves nothing. A payment to who has no order here does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from solders.pubkey import Pubkey

from batches import settlement, terms
from batches.bundle import Bundle, Payout
from batches.evidence import Broken, ChainTransaction, Evidence, Findings, Missing
from batches.records import Fill, Header, Leaf, Side, TimeInForce
from batches.settlement import proceeds

# By owner's address and mint.
Credits = Mapping[tuple[str, str], int]
# Atoms of base and of quote.
Amounts = tuple[int, int]


def conserved(bundle: Bundle, _: Evidence) -> Findings:
    """Fills that equal the clearing conserve: whether the payouts are what they bring."""
    paid = {payout.owner: payout for payout in bundle.payouts}
    if len(paid) != len(bundle.payouts):
        yield Broken("an owner is paid twice")
    for brought in proceeds(bundle.header, bundle.leaves, bundle.result.fills):
        if not _covers(paid.get(brought.owner), (brought.base, brought.quote)):
            yield Broken(f"{Pubkey.from_bytes(brought.owner)} is paid less than the fills bring")
    least, most = dues(bundle)
    for owner, both in least.items():
        if not _covers(paid.get(owner), both):
            address = Pubkey.from_bytes(owner)
            if bundle.settled:
                yield Broken(f"{address} is paid less than what is left of escrow too")
            else:
                # Also of a batch that rolled, whose orders end by themselves.
                yield Missing(f"the escrow that {address} is to be paid back")
    for payout in bundle.payouts:
        address = Pubkey.from_bytes(payout.owner)
        if payout.owner not in most:
            yield Broken(f"{address} is paid, and has no order in the batch")
            continue
        base, quote = most[payout.owner]
        if payout.base > base or payout.quote > quote:
            yield Missing(f"which escrow {address} is paid back beyond that of its orders")


def _covers(payout: Payout | None, due: tuple[int, int]) -> bool:
    base, quote = (payout.base, payout.quote) if payout else (0, 0)
    return base >= due[0] and quote >= due[1]


def transferred(bundle: Bundle, evidence: Evidence) -> Findings:
    """Whether the settlements have moved what is paid.

    The settlements of a tick name it, and carry what its batches pay and nothing else: a transfer
    may be more than a payout where the tick has several.
    """
    if bundle.payouts and not bundle.settlements:
        yield Missing("a settlement")
        return
    signatures = list(dict.fromkeys(bundle.settlements))
    missing = [signature for signature in signatures if signature not in evidence.chain]
    for signature in missing:
        yield Missing(f"the settlement {signature} as the chain has it")
    if missing:
        return
    landed = {signature: evidence.chain[signature] for signature in signatures}
    for signature, transaction in landed.items():
        if not _settles(bundle, transaction):
            yield Broken(f"the transaction {signature} does not settle this tick")
    received = _received(landed.values())
    paid = _payouts(bundle)
    for (owner, mint), amount in paid.items():
        if received.get((owner, mint), 0) >= amount:
            continue
        if bundle.settled:
            yield Broken(f"{owner} received less of {mint} than its payout")
        else:
            yield Missing(f"a settlement that pays {owner} its {mint}")
    if len(bundle.tick.headers) == 1:
        yield from _uncalled(bundle, received, paid)


def _received(landed: Iterable[ChainTransaction]) -> Credits:
    sums: dict[tuple[str, str], int] = {}
    for transaction in landed:
        for key, amount in transaction.credits.items():
            sums[key] = sums.get(key, 0) + amount
    return sums


def _settles(bundle: Bundle, transaction: ChainTransaction) -> bool:
    ticks = [settlement.settled_tick(memo) for memo in transaction.memos]
    return transaction.payer == bundle.coordinator and ticks == [bundle.tick.number]


def _uncalled(bundle: Bundle, received: Credits, paid: Credits) -> Findings:
    for (owner, mint), amount in received.items():
        if owner != bundle.coordinator and amount > paid.get((owner, mint), 0):
            yield Broken(f"{owner} received more of {mint} than its payout")


def _payouts(bundle: Bundle) -> dict[tuple[str, str], int]:
    paid: dict[tuple[str, str], int] = {}
    for payout in bundle.payouts:
        owner = str(Pubkey.from_bytes(payout.owner))
        paid |= {(owner, bundle.base_mint): payout.base, (owner, bundle.quote_mint): payout.quote}
    return paid


def dues(bundle: Bundle) -> tuple[dict[bytes, Amounts], dict[bytes, Amounts]]:
    """What each owner of an order is due at least, and can be due at most, by owner."""
    header = bundle.header
    fills = {fill.order_hash: fill for fill in bundle.result.fills}
    least = {leaf.order.owner: (0, 0) for leaf in bundle.leaves}
    for brought in proceeds(header, bundle.leaves, bundle.result.fills):
        least[brought.owner] = brought.base, brought.quote
    most = dict(least)
    for leaf in bundle.leaves:
        owner, fill = leaf.order.owner, fills.get(leaf.order.hash)
        sure, possible = _left(header, leaf, fill)
        least[owner] = _more(least[owner], leaf.order.side, sure)
        most[owner] = _more(most[owner], leaf.order.side, possible)
    return least, most


def _more(due: Amounts, side: Side, escrow: int) -> Amounts:
    base, quote = due
    return (base, quote + escrow) if side is Side.BUY else (base + escrow, quote)


def _left(header: Header, leaf: Leaf, fill: Fill | None) -> tuple[int, int]:
    """Atoms that are left of the order's own escrow, if it ends here: at least and at most.

    Batches before may have filled a buyer below his limit, and have left him more than what is
    left of the order takes.
    """
    order, lots = leaf.order, fill.lots if fill else 0
    if lots < leaf.remaining and order.time_in_force is TimeInForce.ROLL:
        return 0, 0
    if order.side is Side.SELL:
        left = (leaf.remaining - lots) * header.lot
        return left, left
    spent = fill.quote + fill.fee if fill else 0
    wholes = replace(order, quantity=leaf.remaining), order
    least, most = (terms.escrow(o, lot=header.lot, tick=header.tick) - spent for o in wholes)
    return least, most
