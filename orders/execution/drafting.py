"""The transactions of a set of orders, as messages nobody has signed yet."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from chains.ports import Blockhash, SolanaNode, TokenAccount
from chains.solana import swap
from orders.execution.compute import budgets
from orders.execution.retries import Setback
from orders.execution.rows import OrderRow, QuoteRow, RequestedRow
from orders.registry import Tokens


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction the venue is asked to sign. ``attempt_id`` is None until it is stored."""

    order: OrderRow
    attempt_id: int | None
    venue: str
    reference: str
    maker: str
    output_amount: int
    message: bytes
    first_slot: int
    last_valid_block_height: int


def asked_before(order: OrderRow, attempt: RequestedRow) -> Draft:
    """The draft that the venue was asked to sign earlier."""
    return Draft(
        order,
        attempt.id,
        attempt.venue,
        attempt.reference,
        attempt.maker,
        attempt.output_amount,
        attempt.message,
        attempt.first_slot,
        attempt.last_valid_block_height,
    )


async def draft(
    orders: Sequence[OrderRow],
    quotes: Mapping[UUID, QuoteRow],
    *,
    tokens: Tokens,
    node: SolanaNode,
) -> tuple[list[Draft], list[Setback]]:
    """Transactions for orders whose wallet can pay; the others come back as setbacks.

    Raises:
        ChainError: the node does not answer.
    """
    if not orders:
        return [], []
    sold = {o.id: tokens.by_mint[o.input_token_id].on_chain for o in orders}
    bought = {o.id: tokens.by_mint[o.output_token_id].on_chain for o in orders}
    sources = {o.id: swap.token_account(o.wallet, sold[o.id]) for o in orders}
    targets = {o.id: swap.token_account(o.wallet, bought[o.id]) for o in orders}
    addresses = sorted({*sources.values(), *targets.values()})
    blockhash, found = await asyncio.gather(node.latest_blockhash(), node.token_accounts(addresses))
    accounts = dict(zip(addresses, found, strict=True))
    able = [o for o in orders if _can_pay(o, accounts[sources[o.id]])]
    swaps = [
        swap.Swap(
            taker=order.wallet,
            maker=quotes[order.id].maker,
            sell=sold[order.id],
            sell_amount=order.input_amount,
            buy=bought[order.id],
            buy_amount=quotes[order.id].output_amount,
            reference=str(order.id),
            create_output_account=accounts[targets[order.id]] is None,
        )
        for order in able
    ]
    drafts = [
        _draft(
            order,
            quotes[order.id],
            swap.build(replace(terms, compute_budget=budget), blockhash=blockhash.value),
            blockhash,
        )
        for order, terms, budget in zip(
            able, swaps, await budgets(node, swaps, blockhash), strict=True
        )
    ]
    unable = {o.id for o in orders} - {o.id for o in able}
    return drafts, [_too_little(o, tokens) for o in orders if o.id in unable]


def _draft(order: OrderRow, quote: QuoteRow, message: bytes, blockhash: Blockhash) -> Draft:
    return Draft(
        order,
        None,
        quote.venue,
        quote.reference,
        quote.maker,
        quote.output_amount,
        message,
        blockhash.slot,
        blockhash.last_valid_block_height,
    )


def _can_pay(order: OrderRow, account: TokenAccount | None) -> bool:
    return account is not None and account.amount >= order.input_amount


def _too_little(order: OrderRow, tokens: Tokens) -> Setback:
    symbol = tokens.by_mint[order.input_token_id].symbol
    return Setback(
        order.id, order.tries, "balance", f"the wallet holds too little {symbol}", temporary=False
    )
