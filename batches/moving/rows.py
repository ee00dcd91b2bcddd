"""Transfers as the chain's adapters take them."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from batches import registry
from batches.models import Direction, Transfer
from chains.solana import transfers
from fairlane.core import bulk


def due(ids: Collection[UUID]) -> list[Transfer]:
    """Transfers that wait to be packed, with what is needed to and with the other legs of their
    deposits, in the order they were made."""
    its = Transfer.objects.filter(status="DUE").select_related("market", "batch").order_by("id")
    return with_legs(list(its.filter(id__in=ids)), its)


def with_legs(found: Sequence[Transfer], among: QuerySet[Transfer]) -> list[Transfer]:
    """Transfers, and after them the legs that happen together with them."""
    names = {row.reference for row in found if row.parcel != row.id}
    if not names:
        return list(found)
    known, parcels = {row.id for row in found}, {row.parcel for row in found}
    legs = among.filter(reference__in=names, direction=Direction.PULL)
    return [*found, *(row for row in legs if row.id not in known and row.parcel in parcels)]


def leads(found: Iterable[Transfer]) -> list[UUID]:
    """The ids that have work: of each parcel the first one's, so that nobody works on half."""
    first: dict[object, UUID] = {}
    for row in sorted(found, key=lambda row: row.id):
        first.setdefault(row.parcel, row.id)
    return list(first.values())


def hold_due(ids: Collection[UUID]) -> set[UUID]:
    """Those of the transfers that still wait, locked until the transaction ends."""
    found = Transfer.objects.filter(id__in=ids, status="DUE").select_for_update(no_key=True)
    return set(found.order_by("id").values_list("id", flat=True))


def on_chain(row: Transfer) -> transfers.Transfer:
    """The transfer as part of a transaction."""
    token, vault = registry.token(row.market, row.mint), registry.vault(row.market, row.mint)
    amount = int(row.amount)
    if row.direction == Direction.PULL:
        return transfers.pull(token, owner=row.wallet, vault=vault, amount=amount)
    return transfers.payout(
        token, vault=vault, owner=row.wallet, amount=amount, create=row.opens_account
    )


def update(rows: Sequence[dict[str, Any]]) -> None:
    """Change transfers by id; all name the same columns."""
    bulk.update(Transfer, rows, key="id")
