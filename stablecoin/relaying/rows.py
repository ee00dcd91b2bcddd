"""A relayer's open transactions with their attempts, read in two queries."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chains.evm.fees import Fees
from stablecoin.models import Attempt, Transaction
from stablecoin.states import OPEN_TRANSACTION


@dataclass(frozen=True, slots=True)
class Bytes:
    """One attempt; see ``stablecoin.models.Attempt``."""

    id: int
    number: int
    hash: str
    raw: bytes
    fees: Fees
    cancels: bool
    sent_at: datetime | None
    answer: str
    created_at: datetime

    @property
    def taken(self) -> bool:
        """Whether a node had it when it was last sent."""
        return self.answer.startswith(("accepted", "known"))


@dataclass(slots=True)
class Open:
    """One transaction that may still change; see ``stablecoin.models.Transaction``."""

    id: int
    nonce: int
    request_id: UUID | None
    state: str
    gas: int
    wish: str
    block_number: int | None
    block_hash: str
    succeeded: bool | None
    mined_hash: str
    overtaken_at: int | None
    attempts: list[Bytes] = field(default_factory=list)

    @property
    def last(self) -> Bytes:
        """The attempt that is offered now; those before it may be mined all the same."""
        return self.attempts[-1]

    @property
    def waits(self) -> bool:
        """Whether it is in no block."""
        return self.state != "MINED"


_FIELDS = (
    "id",
    "nonce",
    "request_id",
    "state",
    "gas",
    "wish",
    "block_number",
    "block_hash",
    "succeeded",
    "mined_hash",
    "overtaken_at",
)


def open_transactions(relayer_id: UUID) -> list[Open]:
    """In the order of their nonces."""
    rows = Transaction.objects.filter(relayer_id=relayer_id, state__in=OPEN_TRANSACTION)
    found = {row[0]: Open(*row) for row in rows.order_by("nonce").values_list(*_FIELDS)}
    attempts = Attempt.objects.filter(transaction_id__in=found).order_by("transaction", "number")
    for a in attempts:
        fees = Fees(int(a.max_fee), int(a.priority_fee))
        found[a.transaction_id].attempts.append(
            Bytes(
                a.pk,
                a.number,
                a.hash,
                bytes(a.raw),
                fees,
                a.cancels,
                a.sent_at,
                a.answer,
                a.created_at,
            )
        )
    return list(found.values())
