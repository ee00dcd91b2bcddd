"""Escrow that is to come into the vault: what can be known before, and what follows from it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from batches import refunds, registry
from batches.ledger import Journal
from batches.models import BatchOrder, Direction, Transfer
from batches.moving import rows
from batches.refunds import Ending
from batches.states import ORDER
from chains.ports import SolanaNode, TokenAccount
from chains.solana.swap import token_account
from fairlane.core import transitions
from fairlane.core.claims import Claim, Step
from fairlane.core.transitions import Move

# The node that answers may not have seen an owner's last transaction yet: several behind one
# address are some slots apart, of 0.4 s each.
PATIENCE = timedelta(seconds=3)
LOOK_MS = 400


def is_doubtful(pull: Transfer, now: datetime) -> bool:
    """Whether what a pull lacks may just not have been seen yet: at the first look, and while it is
    new."""
    return not pull.reason or now - pull.created_at < PATIENCE


def look_again(claim: Claim, pulls: Sequence[Transfer], reasons: Mapping[UUID, str]) -> None:
    """Let pulls wait for what they lack."""
    with transaction.atomic():
        held = claim.hand_over({row.id: Step(claim.stage, LOOK_MS) for row in pulls})
        parcels = {row.parcel for row in pulls if row.id in held}
        waiting = [row.id for row in pulls if row.parcel in parcels]
        rows.update([{"id": id_, "reason": reasons[id_][:200]} for id_ in waiting])


async def hopeless(node: SolanaNode, pulls: Sequence[Transfer]) -> Mapping[UUID, str]:
    """The pulls that their owners' accounts do not allow, with the reason.

    Raises:
        ChainError: the node does not answer.
    """
    sources = [rows.on_chain(row).source for row in pulls]
    proceeds = [_proceeds(row) for row in pulls]
    addresses = sorted({*sources, *proceeds})
    accounts = dict(zip(addresses, await node.token_accounts(addresses), strict=True))
    left = {source: _spendable(accounts[source], pulls) for source in set(sources)}
    refused: dict[UUID, str] = {}
    for row, source, paid_to in zip(pulls, sources, proceeds, strict=True):
        reason = _reason(row, accounts[source], left[source])
        if reason is None and accounts[paid_to] is None:
            reason = "the wallet has no account of the token that it would be paid in"
        if reason is None:
            left[source] -= int(row.amount)
        else:
            refused[row.id] = reason
    why = {row.parcel: refused[row.id] for row in pulls if row.id in refused}
    return {row.id: why[row.parcel] for row in pulls if row.parcel in why}


def _proceeds(row: Transfer) -> str:
    """Where the owner is paid what the order trades for: its account of the market's other token.

    The coordinator opens none, or its rent would be a present to whoever closes it again.
    """
    market = row.market
    other = market.quote_mint if row.mint == market.base_mint else market.base_mint
    return token_account(row.wallet, registry.token(market, other))


def _spendable(account: TokenAccount | None, pulls: Sequence[Transfer]) -> int:
    """What the coordinator may take: all of it where it is allowed more."""
    coordinator = pulls[0].market.coordinator
    if account is None or account.delegate != coordinator:
        return 0
    return min(account.amount, account.delegated_amount)


def _reason(row: Transfer, account: TokenAccount | None, left: int) -> str | None:
    if int(row.amount) <= left:
        return None
    if account is None or account.amount < int(row.amount):
        return "the wallet holds too little of the token"
    if account.delegate != row.market.coordinator:
        return "the wallet has not approved the coordinator"
    return "the wallet's approval does not cover its orders"


def refuse(reasons: Mapping[UUID, str], journal: Journal) -> None:
    """Drop pulls that did not and cannot happen, and reject their orders, or end those that were
    to end anyway."""
    if not reasons:
        return
    pulls = Transfer.objects.filter(id__in=list(reasons))
    by_order = dict(pulls.values_list("order_id", "id"))
    orders = _held(by_order.keys())
    rows.update([{"id": i, "status": "DROPPED", "reason": r[:200]} for i, r in reasons.items()])
    # What an order took over from the one that it replaces is given back.
    refunds.end_each(
        [
            Ending(
                order,
                "CANCELLED" if order.cancelling else "REJECTED",
                reasons[by_order[order.id]],
            )
            for order in orders
        ],
        journal,
    )


def hold(carried: Iterable[Transfer]) -> None:
    """Lock the orders of transfers until the transaction ends: before the transfers themselves."""
    _held([row.order_id for row in carried])


def unwanted(pulls: Iterable[Transfer]) -> set[UUID]:
    """The pulls of orders that are to end: they need not happen any more."""
    by_order = {row.order_id: row.id for row in pulls if row.direction == Direction.PULL}
    ending = BatchOrder.objects.filter(id__in=[i for i in by_order if i], cancelling=True)
    return {by_order[order_id] for order_id in ending.values_list("id", flat=True)}


def arrived(pulls: Sequence[Transfer], journal: Journal) -> None:
    """Open the orders whose escrow is in the vault; those that were to end do so."""
    amounts = {row.order_id: int(row.amount) for row in pulls}
    orders = _held(amounts.keys())
    moves = [
        Move(
            order.id,
            "OPEN",
            {
                "market": order.market.name,
                "escrow": str(int(order.escrow_left) + amounts[order.id]),
            },
            {"escrow_left": int(order.escrow_left) + amounts[order.id]},
        )
        for order in orders
    ]
    transitions.move(BatchOrder, ORDER, moves)
    cancelling = _held([order.id for order in orders if order.cancelling])
    refunds.end(cancelling, "CANCELLED", "asked for", journal)


def uncertain(pulls: Iterable[tuple[Transfer, str]]) -> None:
    """Bring orders to a person of whose escrow it is not known what became, and why."""
    moves = [
        Move(
            row.order_id,
            "REVIEW",
            {"market": row.market.name, "reason": reason},
            {"reason": reason[:200]},
        )
        for row, reason in pulls
        if row.order_id is not None and row.direction == Direction.PULL
    ]
    transitions.move(BatchOrder, ORDER, moves)


def certain(pulls: Iterable[Transfer]) -> None:
    """Let orders wait for their escrow again."""
    moves = [
        Move(row.order_id, "ESCROWING", {"market": row.market.name}, {"reason": ""})
        for row in pulls
        if row.order_id is not None and row.direction == Direction.PULL
    ]
    transitions.move(BatchOrder, ORDER, moves, only_from=["REVIEW"])


def _held(ids: Collection[UUID | None]) -> list[BatchOrder]:
    found = BatchOrder.objects.filter(id__in=[id_ for id_ in ids if id_]).select_related("market")
    return list(found.select_for_update(of=("self",), no_key=True).order_by("id"))
