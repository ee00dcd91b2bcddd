"""What people may do with batches."""

from uuid import UUID

from django.db import transaction

from batches.coordination import releasing
from batches.ledger import Journal
from batches.models import Batch
from batches.states import OPEN_BATCH
from fairlane.core import audit
from fairlane.core.errors import Problem


def roll(batch_id: UUID, *, by: str, reason: str) -> None:
    """Let a batch not execute; its orders go on with the next one.

    Raises:
        Problem: 409, it has cleared, or has ended.
    """
    with transaction.atomic():
        batch = _open(batch_id)
        journal = Journal()
        releasing.roll([batch], reason, journal)
        journal.post()
        audit.record(actor=by, action="batch.roll", object=f"batch:{batch_id}", reason=reason)


def void(batch_id: UUID, *, by: str, reason: str) -> None:
    """Call a batch off; its orders end and are paid back.

    Raises:
        Problem: 409, it has cleared, or has ended.
    """
    with transaction.atomic():
        batch = _open(batch_id)
        journal = Journal()
        releasing.void([batch], reason, journal)
        journal.post()
        audit.record(actor=by, action="batch.void", object=f"batch:{batch_id}", reason=reason)


def _open(batch_id: UUID) -> Batch:
    """The batch, which nobody clears before the transaction has ended."""
    found = Batch.objects.select_related("tick", "market").select_for_update(
        of=("self",), no_key=True
    )
    batch = found.get(id=batch_id)
    if batch.status not in OPEN_BATCH:
        raise Problem(409, "stale_state", f"A batch that is {batch.status} stays as it is")
    return batch
