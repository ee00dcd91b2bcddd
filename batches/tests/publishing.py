"""A published batch whose every check holds, to be tampered with."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from batches import merkle, payments, settlement
from batches.anchoring import NO_ROOT, memo_of
from batches.band import TICKS, first_tick, following
from batches.bundle import Bundle, Payout, TickTree
from batches.clearing import Batch, clear_tick
from batches.evidence import Anchored, ChainTransaction, Evidence, Listing, Moved
from batches.leaves import Leaves
from batches.market_address import market_address
from batches.past import NO_HISTORY
from batches.records import NO_HEADER, Header, Leaf, Side
from batches.tests import making
from chains.solana.swap import MEMO_PREFIX, Token, token_account

COORDINATOR = str(Keypair.from_seed(bytes([9]) * 32).pubkey())
RECEIPTS = Keypair.from_seed(bytes([8]) * 32)
BASE, QUOTE = (str(Keypair.from_seed(bytes([n]) * 32).pubkey()) for n in (10, 11))
# Of the first batch.
ANCHOR, SETTLEMENT = "anchor-7", "settlement-7"
PACKET = UUID(int=7)
NAME, LOT, TICK = "A-B", 50, 3


def market_of(lot: int = LOT, tick: int = TICK) -> bytes:
    """The key of a market with these units."""
    of = market_address(
        NAME,
        base_mint=BASE,
        quote_mint=QUOTE,
        lot=lot,
        tick=tick,
        coordinator=COORDINATOR,
        receipt_key=str(RECEIPTS.pubkey()),
    )
    return bytes(Pubkey.from_string(of))


MARKET = market_of()


def leaf(owner: int = 0, **changes: Any) -> Leaf:
    """An order of the published market, as its batch commits to it."""
    return making.leaf(owner, **{"market": MARKET, **changes})


def leaves() -> list[Leaf]:
    return [
        leaf(0, nonce=1, limit=1_010, quantity=10, receipt_seq=1),
        leaf(1, nonce=2, limit=1_008, quantity=7, receipt_seq=2),
        leaf(2, nonce=3, side=Side.SELL, limit=1_005, quantity=12, receipt_seq=3),
    ]


def published(orders: list[Leaf] | None = None, **changes: Any) -> Bundle:
    """The bundle of these orders, the market's first; `changes` are to the header."""
    some = sorted(leaves() if orders is None else orders, key=lambda one: one.order.hash)
    header = Header(
        market=MARKET,
        batch_no=7,
        target_slot=120,
        cutoff_slot=116,
        count=len(some),
        last_seq=3,
        ticks=TICKS,
        first_tick=first_tick(1_007),
        tick=TICK,
        lot=LOT,
        reference=1_007,
        collar_bps=500,
        follows=0,
        fee_bps=25,
        pool_fee_bps=0,
        pool_base=0,
        pool_quote=0,
        previous=NO_HEADER,
        root=merkle.build(map(bytes, some)).root,
    )
    return closed(replace(header, **changes), some)


def closed(header: Header, some: list[Leaf], *, before: TickTree | None = None) -> Bundle:
    """The bundle of a header, the second of three in its tick.

    Args:
        before: the tick that this one follows; None for none.
    """
    beside = [replace(header, market=bytes([byte]) * 32) for byte in (0, 255)]
    headers = tuple(map(bytes, (beside[0], header, beside[1])))
    result = clear_tick([Batch(header, some)])[0]
    bundle = Bundle(
        header=header,
        leaves=tuple(some),
        name=NAME,
        coordinator=COORDINATOR,
        receipt_key=str(RECEIPTS.pubkey()),
        base_mint=BASE,
        quote_mint=QUOTE,
        tick=TickTree(
            header.batch_no,
            merkle.build(headers).root,
            headers,
            before.root if before else NO_ROOT,
            anchor_of(before.number) if before else None,
        ),
        result=result,
        result_root=result.root,
        pool_used=header.pool_base > 0,
        payouts=(),
        anchor=anchor_of(header.batch_no),
        settled=True,
        settlements=(settlement_of(header.batch_no),),
    )
    return replace(bundle, payouts=owed(bundle))


def owed(bundle: Bundle) -> tuple[Payout, ...]:
    """The least that its owners are to be paid."""
    least, _ = payments.dues(bundle, NO_HISTORY)
    return tuple(Payout(owner, *both) for owner, both in sorted(least.items()) if any(both))


def after(bundle: Bundle, orders: list[Leaf], **changes: Any) -> Bundle:
    """The bundle of these orders in the market's next batch; `changes` are to the header."""
    header, data = bundle.header, Leaves.of(bundle.leaves)
    reference = following(header, price=bundle.result.price, leaves=data)
    some = sorted(orders, key=lambda one: one.order.hash)
    follows = replace(
        header,
        batch_no=header.batch_no + 1,
        target_slot=header.target_slot + 20,
        cutoff_slot=header.cutoff_slot + 20,
        count=len(some),
        last_seq=header.last_seq + 10,
        first_tick=first_tick(reference),
        reference=reference,
        follows=header.batch_no,
        previous=header.hash,
        root=merkle.build(map(bytes, some)).root,
    )
    return closed(replace(follows, **changes), some, before=bundle.tick)


def alone(bundle: Bundle) -> Bundle:
    """The bundle in a tick of its own."""
    headers = (bytes(bundle.header),)
    tick = replace(bundle.tick, headers=headers, root=merkle.build(headers).root)
    return replace(bundle, tick=tick)


def on_chain(*bundles: Bundle) -> dict[str, ChainTransaction]:
    """What an honest coordinator has put on chain for them."""
    chain: dict[str, ChainTransaction] = {}
    for bundle in bundles:
        header, number = bundle.header, bundle.header.batch_no
        moved: list[Moved] = []
        for payout in bundle.payouts:
            owner = address(payout.owner)
            moved += [*paying(owner, BASE, payout.base), *paying(owner, QUOTE, payout.quote)]
        anchored, settled = header.target_slot - 2, header.target_slot + 1
        memo = (str(memo_of(bundle)),)
        chain[anchor_of(number)] = ChainTransaction(anchored, COORDINATOR, memo)
        paid = (MEMO_PREFIX + settlement.reference(PACKET, number),)
        chain[settlement_of(number)] = ChainTransaction(settled, COORDINATOR, paid, tuple(moved))
    return chain


def paying(owner: str, mint: str, atoms: int) -> tuple[Moved, Moved]:
    """What a payment out of the vault moves."""
    return (
        Moved(token_account(COORDINATOR, Token(mint, 0)), COORDINATOR, mint, -atoms),
        Moved(token_account(owner, Token(mint, 0)), owner, mint, atoms),
    )


def evidence(bundle: Bundle, *earlier: Bundle) -> Evidence:
    """Everything that there is beside a bundle; what is anchored before it is on chain too."""
    anchored = Anchored(bundle.header.target_slot - 2, memo_of(bundle))
    listing = Listing(0, bundle.header.target_slot, (anchored,))
    is_first = bundle.header.previous == NO_HEADER
    return Evidence(earlier, on_chain(*earlier, bundle), listing, is_first=is_first)


def anchor_of(number: int) -> str:
    return f"anchor-{number}"


def settlement_of(number: int) -> str:
    return f"settlement-{number}"


def address(key: bytes) -> str:
    return str(Pubkey.from_bytes(key))
