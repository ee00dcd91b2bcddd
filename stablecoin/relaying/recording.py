"""What became of transactions, written down together with what it means for their requests."""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

import structlog
from django.db.models import Count

from fairlane.core import bulk, claims, transitions
from fairlane.core.models import Work
from fairlane.core.transitions import Move
from stablecoin import evidence, locks, usage
from stablecoin.models import Approval, Request, Transaction
from stablecoin.relaying import settling
from stablecoin.relaying.confirming import Change, Final, Lost, Mined, Overtaken, Replaced
from stablecoin.relaying.rows import Open
from stablecoin.stage_names import SIGN, send
from stablecoin.states import REQUEST

logger = structlog.get_logger(__name__)

# Each costs gas: what three did in vain a person looks at before the fourth.
MAX_TRANSACTIONS = 3

T = TypeVar("T", Mined, Lost, Final, Overtaken, Replaced)


def record(changes: Sequence[Change], *, chain_id: int) -> None:
    """Write changes down; part of the caller's transaction, which holds the relayer's claim."""
    locks.hold({c.transaction.request_id for c in changes if c.transaction.request_id})
    _mined(_of(changes, Mined))
    _lost(_of(changes, Lost))
    _final(_of(changes, Final), chain_id)
    _overtaken(_of(changes, Overtaken))
    _replaced(_of(changes, Replaced), chain_id)


def _of(changes: Iterable[Change], kind: type[T]) -> list[T]:
    return [change for change in changes if isinstance(change, kind)]


def _mined(changes: Sequence[Mined]) -> None:
    _undo([c.transaction for c in changes])
    bulk.update(
        Transaction,
        [
            {
                "id": c.transaction.id,
                "state": "MINED",
                "mined_hash": c.receipt.transaction_hash,
                "block_number": c.receipt.block_number,
                "block_hash": c.receipt.block_hash,
                "succeeded": c.receipt.succeeded and not c.cancelled,
                "gas_used": c.receipt.gas_used,
                "gas_price": c.receipt.gas_price,
                "overtaken_at": None,
            }
            for c in changes
        ],
        key="id",
    )
    transitions.move(
        Request,
        REQUEST,
        [
            Move(
                c.transaction.request_id,
                "MINED",
                {"txHash": c.receipt.transaction_hash, "blockNumber": c.receipt.block_number},
                {
                    "transaction_hash": c.receipt.transaction_hash,
                    "block_number": c.receipt.block_number,
                },
            )
            for c in changes
            if c.transaction.request_id and c.receipt.succeeded and not c.cancelled
        ],
        only_from=["SIGNED", "SUBMITTED"],
    )


def _lost(changes: Sequence[Lost]) -> None:
    bulk.update(
        Transaction,
        [
            {
                "id": c.transaction.id,
                "state": "BROADCAST",
                "mined_hash": "",
                "block_number": None,
                "block_hash": "",
                "succeeded": None,
            }
            for c in changes
        ],
        key="id",
    )
    _undo([c.transaction for c in changes])


def _undo(transactions: Sequence[Open]) -> None:
    """Take requests back that were mined; what is mined anew is told anew."""
    transitions.move(
        Request,
        REQUEST,
        [
            Move(t.request_id, "SUBMITTED", {"reason": "its block was undone"})
            for t in transactions
            if t.request_id and not t.waits
        ],
        only_from=["MINED"],
    )


def _final(changes: Sequence[Final], chain_id: int) -> None:
    """End transactions. A request whose call went well is completed by the chain's log of it."""
    bulk.update(
        Transaction, [{"id": c.transaction.id, "state": "FINAL"} for c in changes], key="id"
    )
    did = [c.transaction for c in changes if c.transaction.succeeded]
    settling.expect({t.request_id for t in did if t.request_id}, chain_id)
    vain = [c.transaction for c in changes if not c.transaction.succeeded]
    # It is tried again where a node says that it would work now, and fails with its reason if not.
    _go_on(vain, chain_id, "it was reverted")


def _overtaken(changes: Sequence[Overtaken]) -> None:
    bulk.update(
        Transaction,
        [{"id": c.transaction.id, "overtaken_at": c.at} for c in changes],
        key="id",
    )


def _replaced(changes: Sequence[Replaced], chain_id: int) -> None:
    if not changes:
        return
    logger.error("relayer.foreign_transaction", chain_id=chain_id, count=len(changes))
    bulk.update(
        Transaction, [{"id": c.transaction.id, "state": "REPLACED"} for c in changes], key="id"
    )
    reason = "its nonce was used by a transaction that is not ours"
    _go_on([c.transaction for c in changes], chain_id, reason)


def _go_on(ended: Sequence[Open], chain_id: int, reason: str) -> None:
    """What becomes of requests whose transactions have ended, and did nothing for them."""
    cancelled = {t.request_id for t in ended if t.request_id and t.wish == "cancel"}
    _bring_to_review(cancelled, "its transaction was cancelled")
    _again({t.request_id for t in ended if t.request_id} - cancelled, chain_id, reason)


def _again(requests: set[UUID], chain_id: int, reason: str) -> None:
    """Send requests anew, of which no transaction can be mined any more; not for ever."""
    spent = (
        Transaction.objects.filter(request_id__in=requests)
        .values("request_id")
        .annotate(count=Count("id"))
        .filter(count__gte=MAX_TRANSACTIONS)
    )
    given_up = {row["request_id"] for row in spent}
    _bring_to_review(given_up, f"{reason}, as {MAX_TRANSACTIONS - 1} before it")
    moved = transitions.move(
        Request,
        REQUEST,
        [Move(i, "SIGNED", {"reason": reason}) for i in sorted(requests - given_up)],
        only_from=["SUBMITTED"],
    )
    stay = Request.objects.filter(id__in=requests - given_up, status="SIGNED")
    claims.open_work(sorted(moved | set(stay.values_list("id", flat=True))), send(chain_id))


def _bring_to_review(ids: Collection[UUID], reason: str) -> None:
    moved = transitions.move(
        Request,
        REQUEST,
        [Move(i, "REVIEW", {"reason": reason}) for i in sorted(ids)],
        only_from=["SIGNED", "SUBMITTED"],
    )
    Work.objects.filter(object_id__in=moved).delete()


def sign_anew(ids: Collection[UUID], reason: str) -> None:
    """Have requests approved again: their approval cannot be used any more."""
    done = evidence.done(ids)
    leave_to_the_log(done)
    ids = set(ids) - done
    Approval.objects.filter(request_id__in=ids, state="SIGNED").update(state="VOID")
    moved = transitions.move(
        Request,
        REQUEST,
        [Move(i, "QUEUED", {"reason": reason}) for i in sorted(ids)],
        only_from=["SIGNED"],
    )
    _give_work(moved, SIGN)


def fail(reasons: dict[UUID, tuple[str, str]]) -> None:
    """End requests of which nothing happened on chain, and nothing can; kind and reason each."""
    moved = transitions.move(
        Request,
        REQUEST,
        [
            Move(
                i,
                "FAILED",
                {"kind": kind, "reason": reason},
                {"failure_kind": kind, "failure_reason": reason},
            )
            for i, (kind, reason) in sorted(reasons.items())
        ],
        only_from=["SIGNED"],
    )
    Approval.objects.filter(request_id__in=moved).update(state="VOID")
    Work.objects.filter(object_id__in=moved).delete()
    usage.give_back(moved)


def leave_to_the_log(ids: Collection[UUID]) -> None:
    """Bring requests before a person that the contract says are done; their log, once it is
    final, completes them all the same."""
    reason = "the contract has done it before; its log is not final, or tells something else"
    _bring_to_review(ids, reason)


def _give_work(ids: Collection[UUID], stage: str) -> None:
    Work.objects.filter(object_id__in=ids).delete()
    claims.open_work(sorted(ids), stage)
