"""A reservation as the venue keeps it, and the transactions that are bound to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.transaction import VersionedTransaction

from chains.blockspace import TRANSITIONS, State

NOT_A_LEADER = "not a Raiku leader"
TOO_EARLY = "too early"
TOO_LATE = "too late"
BELOW_MINIMUM = "below minimum"
CU_LIMIT = "CU limit"
DUPLICATE = "duplicate"

# What Solana allows an instruction that asks for nothing, and a transaction at most.
_DEFAULT_CU = 200_000
_MOST_CU = 1_400_000
_SET_LIMIT = 2


class RefusedError(Exception):
    """A request that is answered with this code and text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction. `cu` is what it may use at most."""

    raw: bytes
    signature: str
    cu: int


@dataclass(slots=True)
class Reservation:
    """
    price: the most that is paid, in micro-lamports per compute unit.
    cost: what is charged unless it fails, in lamports; 0 while bids are open.
    sent: whether the transactions are on their way to the node.
    send_errors: what the node said against them.
    seen: whether all of them were on chain at some time.
    """

    id: str
    client_id: str
    slot: int
    cu: int
    price: int
    jit: bool = False
    state: State = "NEW"
    reason: str = ""
    cost: int = 0
    charged: int = 0
    transactions: tuple[Transaction, ...] = ()
    sent: bool = False
    send_errors: str = ""
    seen: bool = False

    @property
    def has_ended(self) -> bool:
        return not TRANSITIONS[self.state]

    @property
    def holds_space(self) -> bool:
        return self.state not in ("NEW", "BIDDING", "REJECTED", "OUTBID", "CANCELLED", "FAILED")

    def move(self, state: State, *, reason: str = "", charged: int = 0) -> None:
        """
        Raises:
            RuntimeError: its life has no such step.
        """
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"a reservation that is {self.state} never is {state}")
        self.state, self.reason, self.charged = state, reason, charged

    def rejected(self, reason: str) -> "Reservation":
        self.move("REJECTED", reason=reason)
        return self

    def unknown(self) -> dict[str, Any]:
        """The answer to somebody who may have had another one before."""
        return self.to_json() | {"state": "UNKNOWN", "reason": "earlier answers are forgotten"}

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "clientId": self.client_id,
            "state": self.state,
            "slot": self.slot,
            "reason": self.reason,
            "chargedLamports": self.charged,
        }


def name(client_id: str, *terms: object) -> str:
    """The id of a bid: the same one whenever the same is bid."""
    return f"r-{blake2b(repr((client_id, *terms)).encode(), digest_size=12).hexdigest()}"


def transaction(raw: bytes) -> Transaction:
    """
    Raises:
        RefusedError: these bytes are no signed transaction.
    """
    try:
        parsed = VersionedTransaction.from_bytes(raw)
        return Transaction(raw, str(parsed.signatures[0]), compute_units(parsed))
    except (ValueError, IndexError):
        raise RefusedError("invalid", "this is no signed transaction") from None


def compute_units(parsed: VersionedTransaction) -> int:
    """What a transaction may use at most, as Solana counts it.

    Raises:
        IndexError: an instruction names a program that is not there.
    """
    message = parsed.message
    keys = message.account_keys
    others = 0
    for instruction in message.instructions:
        if keys[instruction.program_id_index] != COMPUTE_BUDGET:
            others += 1
        elif instruction.data[:1] == bytes([_SET_LIMIT]) and len(instruction.data) >= 5:
            return min(int.from_bytes(instruction.data[1:5], "little"), _MOST_CU)
    return min(others * _DEFAULT_CU, _MOST_CU)


def units_of(transactions: Sequence[Transaction]) -> int:
    return sum(one.cu for one in transactions)
