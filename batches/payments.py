"""What a published batch pays, and whether the chain has paid it.

Owners get what their fills bring, and what is left of the escrow of orders that end. How much that
is follows from the orders and what batches before took of it, unless an order has taken over the
larger escrow of another that it replaced: so more than that proves nothing. A payment to who has no
order here does.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from solders.pubkey import Pubkey

from batches import settlement, terms
from batches.bundle import Bundle, Payout
from batches.evidence import Broken, ChainTransaction, Evidence, Findings, Missing, Moved
from batches.past import NO_HISTORY, History
from batches.records import Fill, Header, Leaf, Side, TimeInForce
from batches.settlement import proceeds
from chains.solana.swap import Token, token_account

# Atoms of base and of quote.
Amounts = tuple[int, int]


def conserved(bundle: Bundle, history: History) -> Findings:
    """Fills that equal the clearing conserve: whether the payouts are what they bring."""
    paid = {payout.owner: payout for payout in bundle.payouts}
    if len(paid) != len(bundle.payouts):
        yield Broken("an owner is paid twice")
    for brought in proceeds(bundle.header, bundle.leaves, bundle.result.fills):
        if not _covers(paid.get(brought.owner), (brought.base, brought.quote)):
            yield Broken(f"{Pubkey.from_bytes(brought.owner)} is paid less than the fills bring")
    least, most = dues(bundle, history)
    for owner, both in least.items():
        if not _covers(paid.get(owner), both):
            address = Pubkey.from_bytes(owner)
            if bundle.settled:
                yield Broken(f"{address} is paid less than what is left of escrow too")
            else:
                # Also of a batch that rolled, whose orders end by themselves.
                yield Missing(f"the escrow that {address} is to be paid back")
    for payout in bundle.payouts:
        yield from _explained(payout, most.get(payout.owner))


def _explained(payout: Payout, most: Amounts | None) -> Findings:
    address = Pubkey.from_bytes(payout.owner)
    if most is None:
        yield Broken(f"{address} is paid, and has no order in the batch")
    elif payout.base > most[0] or payout.quote > most[1]:
        yield Missing(f"which escrow {address} is paid back beyond that of its orders")
    elif payout.quote < most[1]:
        yield Missing(f"what batches before have left of the escrow of {address}")


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
    moved = [each for transaction in landed.values() for each in transaction.moved]
    short = [*_not_received(bundle, moved), *_not_sent(bundle, moved)]
    for what in short:
        yield Broken(what) if bundle.settled else Missing(f"a settlement: {what}")
    if len(bundle.tick.headers) == 1:
        yield from _uncalled(bundle, moved)


def _settles(bundle: Bundle, transaction: ChainTransaction) -> bool:
    ticks = [settlement.settled_tick(memo) for memo in transaction.memos]
    return transaction.payer == bundle.coordinator and ticks == [bundle.tick.number]


def _not_received(bundle: Bundle, moved: Iterable[Moved]) -> Iterator[str]:
    """Payouts go to the account that follows from owner and mint, whoever else it belongs to by
    then."""
    gained: dict[str, int] = {}
    for each in moved:
        gained[each.account] = gained.get(each.account, 0) + each.atoms
    for (owner, mint), amount in _payouts(bundle).items():
        programs = (Token(mint, 0, token2022) for token2022 in (False, True))
        if sum(max(0, gained.get(token_account(owner, t), 0)) for t in programs) < amount:
            yield f"{owner} received less of {mint} than its payout"


def _not_sent(bundle: Bundle, moved: Sequence[Moved]) -> Iterator[str]:
    """What owners move among themselves pays none of them."""
    sent = _sent(bundle, moved)
    for mint, amount in _sums(bundle).items():
        if sent.get(mint, 0) < amount:
            yield f"the vault has sent less of {mint} than is paid"


def _uncalled(bundle: Bundle, moved: Sequence[Moved]) -> Findings:
    sums = _sums(bundle)
    for mint, amount in _sent(bundle, moved).items():
        if amount > sums.get(mint, 0):
            yield Broken(f"the vault has sent more of {mint} than is paid")


def _sent(bundle: Bundle, moved: Sequence[Moved]) -> dict[str, int]:
    """Atoms that have left the coordinator's accounts, by mint."""
    sent: dict[str, int] = {}
    for each in moved:
        if each.owner == bundle.coordinator:
            sent[each.mint] = sent.get(each.mint, 0) - each.atoms
    return sent


def _sums(bundle: Bundle) -> dict[str, int]:
    """Atoms of all payouts, by mint."""
    sums: dict[str, int] = {}
    for (_, mint), amount in _payouts(bundle).items():
        sums[mint] = sums.get(mint, 0) + amount
    return sums


def _payouts(bundle: Bundle) -> dict[tuple[str, str], int]:
    """Atoms by owner's address and mint; what the coordinator owes itself stays where it is."""
    paid: dict[tuple[str, str], int] = {}
    for payout in bundle.payouts:
        owner = str(Pubkey.from_bytes(payout.owner))
        if owner == bundle.coordinator:
            continue
        paid |= {(owner, bundle.base_mint): payout.base, (owner, bundle.quote_mint): payout.quote}
    return paid


def dues(bundle: Bundle, before: History) -> tuple[dict[bytes, Amounts], dict[bytes, Amounts]]:
    """What each owner of an order is due at least, and can be due at most, by owner."""
    header = bundle.header
    fills = {fill.order_hash: fill for fill in bundle.result.fills}
    least = {leaf.order.owner: (0, 0) for leaf in bundle.leaves}
    for brought in proceeds(header, bundle.leaves, bundle.result.fills):
        least[brought.owner] = brought.base, brought.quote
    most = dict(least)
    for leaf in bundle.leaves:
        owner, fill = leaf.order.owner, fills.get(leaf.order.hash)
        if _ends(leaf, fill):
            sure, possible = _left(header, leaf, fill, before)
            least[owner] = _more(least[owner], leaf.order.side, sure)
            most[owner] = _more(most[owner], leaf.order.side, possible)
    return least, most


def unexplained(bundle: Bundle) -> frozenset[tuple[bytes, int]]:
    """Orders, and the ages that they had in the batches before which tell what is due to them."""
    paid = {payout.owner: payout.quote for payout in bundle.payouts}
    fills = {fill.order_hash: fill for fill in bundle.result.fills}
    if not fills.keys() <= {leaf.order.hash for leaf in bundle.leaves}:
        # Whatever fills another order is proven by the batch alone.
        return frozenset()
    _, most = dues(bundle, NO_HISTORY)
    return frozenset(
        (leaf.order.hash, age)
        for leaf in bundle.leaves
        if leaf.order.side is Side.BUY and _ends(leaf, fills.get(leaf.order.hash))
        if paid.get(leaf.order.owner, 0) < most[leaf.order.owner][1]
        for age in range(leaf.age)
    )


def _more(due: Amounts, side: Side, escrow: int) -> Amounts:
    base, quote = due
    return (base, quote + escrow) if side is Side.BUY else (base + escrow, quote)


def _ends(leaf: Leaf, fill: Fill | None) -> bool:
    filled = (fill.lots if fill else 0) == leaf.remaining
    return filled or leaf.order.time_in_force is TimeInForce.ONE_BATCH


def _left(header: Header, leaf: Leaf, fill: Fill | None, before: History) -> tuple[int, int]:
    """Atoms that are left of the own escrow of an order that ends: at least and at most.

    Batches before may have filled a buyer below his limit, and have left him more than what is
    left of the order takes.
    """
    order = leaf.order
    if order.side is Side.SELL:
        left = (leaf.remaining - (fill.lots if fill else 0)) * header.lot
        return left, left
    whole = terms.escrow(order, lot=header.lot, tick=header.tick)
    rest = terms.escrow(replace(order, quantity=leaf.remaining), lot=header.lot, tick=header.tick)
    spent, cost = fill.quote + fill.fee if fill else 0, before.cost(leaf)
    if cost is None:
        return rest - spent, whole - spent
    left = max(rest, whole - cost) - spent
    return left, left
