"""The one way a request comes into being, whoever asks for it and however often."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat, Left
from uuid_utils.compat import uuid7

from fairlane.core import arrays, checkpoints, transitions, wakeups
from fairlane.core.models import Work
from fairlane.core.transitions import Move
from stablecoin import locks
from stablecoin.models import Kind, Request
from stablecoin.stage_names import ADMIT
from stablecoin.states import REQUEST

logger = structlog.get_logger(__name__)

Outcome = Literal["created", "duplicate", "conflict"]


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What is asked for; see ``stablecoin.models.Request``."""

    kind: str
    chain_id: int
    request_id: str
    wallet: str
    amount: int
    source: str
    created_by: str
    reference: str = ""
    lock_hash: str = ""
    id: UUID = field(default_factory=uuid7)

    @property
    def key(self) -> tuple[str, int, str]:
        """What makes it one and the same request: a mint's name holds on all chains."""
        return self.kind, 0 if self.kind == Kind.MINT else self.chain_id, self.request_id

    @property
    def content(self) -> tuple[int, str, int]:
        """What a repetition must not change. The reference is a remark, and may be missing."""
        return self.chain_id, self.wallet, self.amount


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one: ``id`` is that of the request that is stored under its name."""

    id: UUID
    outcome: Outcome


# Requests that are not there yet, with their first events and their work: one statement.
_INSERT = """
    WITH input AS (
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::int[], %s::text[], %s::text[],
                             %s::numeric[], %s::text[], %s::text[], %s::text[], %s::text[],
                             %s::jsonb[])
        AS i(id, kind, chain_id, request_id, wallet, amount, reference, source, created_by,
             lock_hash, data)
    ), stored AS (
        INSERT INTO stablecoin_request (id, kind, chain_id, request_id, wallet, amount, reference,
            source, created_by, lock_hash, status, seq, tries, rule, failure_kind,
            failure_reason, transaction_hash)
        SELECT id, kind, chain_id, request_id, wallet, amount, reference, source, created_by,
            lock_hash, 'RECEIVED', 1, 0, '', '', '', ''
        FROM input ORDER BY request_id, chain_id
        ON CONFLICT DO NOTHING RETURNING id, wallet
    ), told AS (
        INSERT INTO core_event (kind, object_id, seq, status, wallet, data)
        SELECT %s, id, 1, 'RECEIVED', stored.wallet, data FROM stored JOIN input USING (id)
    ), opened AS (
        INSERT INTO core_work (object_id, stage) SELECT id, %s FROM stored
    )
    SELECT id FROM stored
"""


_COLUMNS = (
    "id",
    "kind",
    "chain_id",
    "request_id",
    "wallet",
    "amount",
    "reference",
    "source",
    "created_by",
    "lock_hash",
)


def receive(new: Sequence[NewRequest], *, contests: bool = True) -> list[Receipt]:
    """Store requests that are not stored yet; a repetition changes nothing.

    One with other content under a name that is taken changes nothing either, but brings the
    stored one before a person, unless it has ended. Call it inside or outside a transaction.

    Args:
        contests: whether it does; False where whoever asks is told, and is no authority.
    """
    if not new:
        return []
    firsts: dict[tuple[str, int, str], NewRequest] = {}
    for request in new:
        firsts.setdefault(request.key, request)
    with transaction.atomic():
        created = _insert(list(firsts.values()))
        taken = [r for r in firsts.values() if r.lock_hash and r.id not in created]
        if _free_names(taken):
            created |= _insert(taken)
        stored = {r.key: r for r in firsts.values() if r.id in created}
        stored |= _stored([r for r in firsts.values() if r.id not in created])
        receipts = [_receipt(request, stored[request.key], created) for request in new]
        _note_locks(new, receipts)
        _note_references(new, receipts)
        if contests:
            _contest({r.id for r in receipts if r.outcome == "conflict"})
    checkpoints.reach("stablecoin.intake.stored")
    return receipts


def _free_names(locked: Sequence[NewRequest]) -> set[UUID]:
    """Take the names that the chain's final events tell from whoever claimed them for something
    else over the API: names of redeems can be known before, and the chain alone gives them.

    Returns the requests that lost their name, which nobody claims again before the transaction
    has ended.
    """
    if not locked:
        return set()
    contents = {r.key: r.content for r in locked}
    claimed = Request.objects.filter(
        kind=Kind.REDEEM, lock_hash="", request_id__in=[r.request_id for r in locked]
    )
    false = {
        row.id
        for row in claimed
        if (content := contents.get((row.kind, row.chain_id, row.request_id))) is not None
        and (row.ended or content != (row.chain_id, row.wallet, int(row.amount)))
    }
    if not false:
        return false
    logger.error("redeem.claimed_falsely", request_ids=sorted(map(str, false)))
    locks.hold(false)
    told = {"rule": "lock", "reason": "the chain tells of another redeem by this name"}
    transitions.move(
        Request,
        REQUEST,
        [Move(i, "REJECTED", told, {"rule": "lock"}) for i in sorted(false)],
        only_from=["RECEIVED", "REVIEW"],
    )
    Work.objects.filter(object_id__in=false).delete()
    freed = Concat(
        Left("request_id", 70), Value(" (claimed falsely, "), Cast("id", CharField()), Value(")")
    )
    Request.objects.filter(id__in=false).update(request_id=freed)
    return false


def _insert(requests: Sequence[NewRequest]) -> set[UUID]:
    if not requests:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            [
                *(arrays.literal(getattr(r, column) for r in requests) for column in _COLUMNS),
                arrays.literal(_first_event(r) for r in requests),
                Request.EVENT_KIND,
                ADMIT,
            ],
        )
        created = {row[0] for row in cursor.fetchall()}
    if created:
        wakeups.wake(ADMIT)
    return created


def _first_event(request: NewRequest) -> dict[str, object]:
    return {
        "requestId": request.request_id,
        "type": request.kind,
        "userAddress": request.wallet,
        "amount": str(request.amount),
        "chainId": request.chain_id,
        "fiatRef": request.reference or None,
    }


def _stored(requests: Sequence[NewRequest]) -> dict[tuple[str, int, str], NewRequest]:
    """What is stored under the names of these requests."""
    if not requests:
        return {}
    rows = Request.objects.filter(request_id__in=[r.request_id for r in requests])
    found = [
        NewRequest(
            kind=row.kind,
            chain_id=row.chain_id,
            request_id=row.request_id,
            wallet=row.wallet,
            amount=int(row.amount),
            source=row.source,
            created_by=row.created_by,
            id=row.id,
        )
        for row in rows
    ]
    return {request.key: request for request in found}


def _receipt(request: NewRequest, stored: NewRequest, created: set[UUID]) -> Receipt:
    if request.content != stored.content:
        return Receipt(stored.id, "conflict")
    return Receipt(stored.id, "created" if request.id in created else "duplicate")


def _note_locks(new: Sequence[NewRequest], receipts: Sequence[Receipt]) -> None:
    """Tell redeems that were asked for elsewhere first that their tokens are locked now."""
    for request, receipt in zip(new, receipts, strict=True):
        if request.lock_hash and receipt.outcome == "duplicate":
            Request.objects.filter(id=receipt.id, lock_hash="").update(lock_hash=request.lock_hash)


def _note_references(new: Sequence[NewRequest], receipts: Sequence[Receipt]) -> None:
    """Tell redeems that a chain asked for first how the bank knows them, while nothing is judged:
    an approval may name it."""
    for request, receipt in zip(new, receipts, strict=True):
        if request.kind == Kind.REDEEM and request.reference and receipt.outcome == "duplicate":
            waits = Request.objects.filter(id=receipt.id, status="RECEIVED", reference="")
            waits.update(reference=request.reference)


def _contest(ids: set[UUID]) -> None:
    """Stop what was asked for in two ways until a person has looked."""
    if not ids:
        return
    logger.error("request.contested", request_ids=sorted(map(str, ids)))
    list(Work.objects.select_for_update().filter(object_id__in=ids).order_by("object_id"))
    moved = transitions.move(
        Request,
        REQUEST,
        [Move(i, "REVIEW", {"reason": "it was asked for again with other content"}) for i in ids],
        only_from=["RECEIVED", "AWAITING_APPROVAL", "QUEUED", "SIGNING", "SIGNED"],
    )
    Work.objects.filter(object_id__in=moved).delete()
