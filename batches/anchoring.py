"""What a published batch has committed to, and where: its leaves, its tick, the anchor on chain.

A tick has one anchor, its tree one header for each market, and each tick but the first of its
cadence names the root of the one closed before. So whoever is shown one batch of a market and tick
is shown the only one.
"""

from collections.abc import Iterable
from itertools import chain, pairwise

from solders.pubkey import Pubkey

from batches import band, merkle
from batches.bundle import Bundle
from batches.evidence import Broken, Evidence, Findings, Missing
from batches.market_address import market_address
from batches.records import NO_HEADER, Header, Malformed
from chains.solana import anchor
from chains.solana.anchor import Anchor

# What the first tick of a cadence names for the one before.
NO_ROOT = bytes(32)
# Before the cutoff; as long as a signed transaction can wait to land, and longer than any lead.
SEARCHED_SLOTS = 150


def commitment(bundle: Bundle) -> Findings:
    """Whether the header is one of this market, and commits to these leaves."""
    header, leaves = bundle.header, bundle.leaves
    if _address(bundle) != header.market:
        yield Broken("the market's address is of other mints, units or keys")
    if (header.first_tick, header.ticks) != (band.first_tick(header.reference), band.TICKS):
        yield Broken("the band of prices is not the one around the reference")
    if any(a.order.hash >= b.order.hash for a, b in pairwise(leaves)):
        yield Broken("the leaves do not ascend by order hash")
    if header.count != len(leaves):
        yield Broken(f"the header counts {header.count} orders, the batch has {len(leaves)}")
    if merkle.build(map(bytes, leaves)).root != header.root:
        yield Broken("the root of the leaves is not the header's")


def anchored(bundle: Bundle, evidence: Evidence) -> Findings:
    """Whether the tick holds the batch, and the chain this tick and no other one for it."""
    yield from _contained(bundle)
    if bundle.anchor is None:
        if bundle.result.fills:
            yield Broken("orders were filled without an anchor")
        yield Missing("an anchor")
        return
    yield from _on_chain(bundle, evidence)
    yield from _alone(bundle, evidence)
    yield from _chained(bundle, evidence)


def in_sequence(bundle: Bundle, evidence: Evidence) -> Findings:
    """Whether the anchor came before the slot, and what was paid after the anchor."""
    if bundle.anchor is None:
        return
    landed = evidence.chain.get(bundle.anchor)
    if landed is None:
        yield Missing(f"the slot of the anchor {bundle.anchor}")
        return
    if landed.slot >= bundle.header.target_slot:
        yield Broken(f"the anchor landed in slot {landed.slot}, not before the target")
    for signature in bundle.settlements:
        settlement = evidence.chain.get(signature)
        if settlement is None:
            yield Missing(f"the slot of the settlement {signature}")
        elif settlement.slot <= landed.slot:
            yield Broken(f"the settlement {signature} is not after the anchor")


def is_proven(bundle: Bundle, evidence: Evidence) -> bool:
    """Whether the chain shows that the coordinator has committed to these very orders."""
    if bundle.anchor is None:
        return False
    checks = commitment(bundle), _contained(bundle), _on_chain(bundle, evidence)
    return holds(chain.from_iterable(checks))


def executed(bundle: Bundle, evidence: Evidence) -> bool | None:
    """Whether the batch was anchored in time, and so executed; None where that is not known."""
    if is_proven(bundle, evidence):
        return evidence.chain[bundle.anchor or ""].slot < bundle.header.target_slot
    first, last = searched(bundle.header)
    listing = evidence.listing
    if listing is None or listing.first_slot > first or listing.last_slot < last:
        return None
    in_time = (a.anchor for a in listing.anchors if a.slot < bundle.header.target_slot)
    return None if any(anchor.tick == bundle.tick.number for anchor in in_time) else False


def holds(findings: Iterable[Broken | Missing]) -> bool:
    """Whether a check has found nothing."""
    return next(iter(findings), None) is None


def searched(header: Header) -> tuple[int, int]:
    """The first and the last slot in which no other anchor of the tick may be."""
    return max(0, header.cutoff_slot - SEARCHED_SLOTS), header.target_slot - 1


def memo_of(bundle: Bundle) -> Anchor:
    """What the anchor of the bundle's tick says."""
    header, tick = bundle.header, bundle.tick
    return Anchor(
        tick.number,
        header.cutoff_slot,
        header.target_slot,
        len(tick.headers),
        tick.root,
        tick.previous,
    )


def _address(bundle: Bundle) -> bytes:
    """The address of a market with the bundle's terms; nothing where they are no addresses."""
    header = bundle.header
    try:
        address = market_address(
            bundle.name,
            base_mint=bundle.base_mint,
            quote_mint=bundle.quote_mint,
            lot=header.lot,
            tick=header.tick,
            coordinator=bundle.coordinator,
            receipt_key=bundle.receipt_key,
        )
    except ValueError:
        return b""
    return bytes(Pubkey.from_string(address))


def _contained(bundle: Bundle) -> Findings:
    header, tick = bundle.header, bundle.tick
    if merkle.build(tick.headers).root != tick.root:
        yield Broken("the tick's root is not that of its headers")
    if bytes(header) not in tick.headers:
        yield Broken("the tick does not contain the header")
    if header.batch_no != tick.number:
        yield Broken(f"the batch is in tick {tick.number}, not in its own")
    try:
        markets = [Header.parse(data).market for data in tick.headers]
    except Malformed as error:
        yield Broken(f"the tick contains what is no header: {error}")
        return
    if any(a >= b for a, b in pairwise(markets)):
        yield Broken("the tick's headers do not ascend by market: one may be there twice")


def _on_chain(bundle: Bundle, evidence: Evidence) -> Findings:
    transaction = evidence.chain.get(bundle.anchor or "")
    if transaction is None:
        yield Missing(f"the anchor {bundle.anchor} as the chain has it")
    elif transaction.payer != bundle.coordinator or transaction.memos != (str(memo_of(bundle)),):
        yield Broken(f"the transaction {bundle.anchor} does not anchor this tick")


def _alone(bundle: Bundle, evidence: Evidence) -> Findings:
    """A tick is anchored with one root; and no two follow the same one, but the first ones of
    cadences, which follow none."""
    first, last = searched(bundle.header)
    tick, listing = bundle.tick, evidence.listing
    others = [each.anchor for each in listing.anchors] if listing is not None else []
    for other in others:
        if other.root == tick.root:
            continue
        if other.tick == tick.number:
            yield Broken(f"tick {tick.number} is anchored with another root too")
        elif other.previous == tick.previous != NO_ROOT:
            yield Broken(f"tick {other.tick} follows the same one as this tick")
    # A list that misses the anchor itself may miss others.
    complete = (
        listing is not None
        and listing.first_slot <= first
        and listing.last_slot >= last
        and any(other.root == tick.root for other in others)
    )
    if not complete:
        yield Missing(f"a list of the coordinator's anchors from slot {first} to {last}")


def _chained(bundle: Bundle, evidence: Evidence) -> Findings:
    tick = bundle.tick
    if tick.previous == NO_ROOT:
        if bundle.header.previous != NO_HEADER:
            yield Broken("the market has a batch before this one, and its tick has none")
        return
    # The root of a tick that has rolled is on no chain; whoever has its headers knows it.
    if any(e.tick.root == tick.previous and holds(_contained(e)) for e in evidence.earlier):
        return
    if tick.previous_anchor is None:
        yield Missing("the tick that this one follows")
        return
    transaction = evidence.chain.get(tick.previous_anchor)
    if transaction is None:
        yield Missing(f"the anchor before, {tick.previous_anchor}, as the chain has it")
        return
    before = anchor.parse(transaction.memos[0]) if len(transaction.memos) == 1 else None
    ours = transaction.payer == bundle.coordinator
    if not ours or before is None or before.root != tick.previous or before.tick >= tick.number:
        yield Broken(f"the transaction {tick.previous_anchor} does not anchor the tick before")
