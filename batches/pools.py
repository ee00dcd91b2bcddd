"""What is put into the pools of markets, and taken out again, by the treasury.

Both are stored transfers like those of owners: a deposit is pulled out of a wallet that has
approved the coordinator, a withdrawal is paid. Each has a reference, and happens once under it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from uuid_utils.compat import uuid7

from batches import ledger, reserves, treasury
from batches.coordination import pooling
from batches.ledger import Journal
from batches.models import Cadence, Direction, Market, Transfer
from fairlane.core import audit

REFERENCE_LENGTH = 64


class PoolError(Exception):
    """Why reserves stay where they are; the text is for people."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Atoms on their way out of a pool, and the wallet that they are for."""

    wallet: str
    base: int
    quote: int


def deposits(market: Market, reference: str) -> list[Transfer]:
    """The transfers of a deposit; none where it is not known."""
    return list(Transfer.objects.filter(market=market, reference=reference).order_by("id"))


def fund(
    market: Market, *, wallet: str, amounts: Mapping[str, int], reference: str, by: str
) -> bool:
    """Have reserves pulled into the vault, which are the pool's once they are there.

    Where one of the wallet's accounts does not allow it, nothing is pulled: reserves that grow on
    one side only would be traded with at a price that nobody has asked for.

    Args:
        amounts: atoms by mint.
        reference: one that is known already changes nothing, and is spent even if nothing came of
            its deposit.
        by: for the audit trail.

    Returns:
        Whether the reference is new.

    Raises:
        PoolError: the market has no pool, nothing is to be moved, or the deposit of this reference
            did not happen.
    """
    if not market.uses_pool:
        raise PoolError(f"{market.name} has no pool")
    if not any(amounts.values()):
        raise PoolError("there is nothing to put into the pool")
    with transaction.atomic():
        _hold(market)
        if known := deposits(market, reference):
            _require_not_dropped(known)
            return False
        treasury.move(market, Direction.PULL, wallet, amounts, reference)
        treasury.record(market, "market.fund_pool", wallet, amounts, reference, by)
    return True


def _require_not_dropped(legs: Sequence[Transfer]) -> None:
    if all(leg.status == "DROPPED" for leg in legs):
        why = "; ".join(sorted({leg.reason for leg in legs}))
        raise PoolError(f"this deposit did not happen ({why}): another one needs another reference")


def use(market_id: int, on: bool, *, by: str, reason: str) -> Market:
    """Let a market's batches name its pool from now on, or not."""
    with transaction.atomic():
        market = Market.objects.select_for_update(no_key=True).get(id=market_id)
        before, market.uses_pool = market.uses_pool, on
        market.save(update_fields=["uses_pool"])
        audit.record(
            actor=by,
            action="market.use_pool",
            object=f"market:{market.name}",
            before={"usesPool": before},
            after={"usesPool": on},
            reason=reason,
        )
    return market


def drain(market: Market, *, wallet: str | None, by: str, reason: str = "") -> Withdrawal:
    """Pay everything that the pool holds back; it takes part in no batch from then on.

    Args:
        wallet: whom to pay; None for the only one that has put something in.
        by, reason: for the audit trail.

    Raises:
        PoolError: the pool is empty, a batch has committed to its reserves and has not cleared, or
            it is not clear whom to pay.
    """
    with transaction.atomic():
        _hold(market)
        if pooling.is_promised(market):
            raise PoolError("a batch has committed to the reserves: try again when it has cleared")
        held = reserves.held([market.id])[market.id]
        amounts = {market.base_mint: held.base, market.quote_mint: held.quote}
        if not any(amounts.values()):
            raise PoolError("the pool is empty")
        payee = wallet or _only_funder(market)
        reference = str(uuid7())
        treasury.move(market, Direction.PAY, payee, amounts, reference)
        treasury.record(market, "market.drain_pool", payee, amounts, reference, by, reason)
        journal = Journal()
        journal.add(
            *(
                ledger.withdrawn(f"drain:{reference}", market.id, mint, amount)
                for mint, amount in amounts.items()
            )
        )
        journal.post()
    return Withdrawal(payee, held.base, held.quote)


def _hold(market: Market) -> None:
    """Keep the cadence's batches from closing, and so from committing to the reserves."""
    Cadence.objects.get_or_create(cadence_ms=market.cadence_ms)
    Cadence.objects.select_for_update(no_key=True).get(cadence_ms=market.cadence_ms)


def _only_funder(market: Market) -> str:
    given = Transfer.objects.filter(
        market=market, reference__isnull=False, direction=Direction.PULL, status="DONE"
    )
    wallets = sorted(set(given.values_list("wallet", flat=True)))
    if len(wallets) != 1:
        raise PoolError(f"say whom to pay: {', '.join(wallets)} have put something in")
    return wallets[0]
