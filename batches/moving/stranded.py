"""Transfers and transactions that no claim could bring further: a person has to look."""

from collections.abc import Sequence

import structlog
from django.db import transaction

from batches.models import Packet, Transfer
from batches.moving import escrows, rows
from fairlane.core.claims import Claim

logger = structlog.get_logger(__name__)

_REASON = "it could not be brought to an outcome"


def set_transfers_aside(claim: Claim) -> None:
    """Keep transfers that cannot be packed for a person; nothing of them was sent."""
    with transaction.atomic():
        aside = claim.quarantine(claim.poisoned)
        _set_aside(rows.due(list(aside)))
    logger.error("transfers.put_aside", transfers=[str(id_) for id_ in aside])


def set_packets_aside(claim: Claim) -> None:
    """Keep transactions that cannot be followed for a person; they may have landed."""
    with transaction.atomic():
        aside = claim.quarantine(claim.poisoned)
        Packet.objects.filter(id__in=aside, status="SIGNED").update(status="REVIEW", error=_REASON)
        carried = Transfer.objects.filter(packet_id__in=aside, status="PACKED")
        _set_aside(list(carried.select_related("market")))
    logger.error("packets.put_aside", packets=[str(id_) for id_ in aside])


def _set_aside(found: Sequence[Transfer]) -> None:
    """With the orders whose escrow they are."""
    escrows.hold(found)
    escrows.uncertain((row, _REASON) for row in found)
    rows.update([{"id": row.id, "status": "REVIEW", "reason": _REASON} for row in found])
