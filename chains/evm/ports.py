"""What the apps ask of EVM chains, the key service and the compliance service.

Addresses are EIP-55 text, hashes 0x-prefixed lower-case text, amounts and fees wei or base units.
Every adapter raises only the errors of `chains.errors`.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from chains.errors import ChainError, Definitive


class RangeTooLarge(Definitive):
    """The node will not answer for so many blocks or logs: ask for fewer."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header. `timestamp` is in seconds, `base_fee` in wei per gas."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    base_fee: int


@dataclass(frozen=True, slots=True)
class Log:
    """An event of a contract as its block recorded it."""

    address: str
    topics: tuple[str, ...]
    data: bytes
    block_number: int
    block_hash: str
    transaction_hash: str
    index: int


@dataclass(frozen=True, slots=True)
class LogRange:
    """The logs of consecutive blocks of one fork.

    Attributes:
        parent_hash: the block below the first one.
        end: the last one.
    """

    logs: Sequence[Log]
    parent_hash: str
    end: Block


@dataclass(frozen=True, slots=True)
class Receipt:
    """A transaction in a block; `succeeded` is False where it was reverted."""

    transaction_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    gas_used: int
    gas_price: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a contract; `sender` is what the contract sees as its caller."""

    to: str
    data: bytes
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class Reverted:
    """The contract refused. `data` is its error, selector first; empty where it gave none."""

    data: bytes
    message: str


SendResult = Literal[
    "accepted",  # it is in the pool
    "known",  # it was there before, or is mined: as good as accepted
    "nonce_too_low",  # another transaction of this nonce, or this one, is mined: look
    "underpriced",  # the pool keeps what it has under this nonce, or wants higher fees
    "insufficient_funds",
    "refused",  # the node refuses these bytes for good
    "unknown",  # no answer, or none that says what became of it
]


@dataclass(frozen=True, slots=True)
class Sent:
    """What a node answered to a raw transaction. It proves nothing about the chain."""

    result: SendResult
    message: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one node knew in one cycle: the signer's account, and receipts, all at `head` or after.

    Attributes:
        nonce: the signer's transaction count at the latest block, never of the pool.
        node: the name of the node that answered.
    """

    head: Block
    nonce: int
    balance: int
    priority_fee: int
    receipts: Sequence[Receipt | None]
    node: str


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """How one RPC provider of a chain does. `name` holds no secrets.

    Attributes:
        behind: blocks it lacks to the highest head any provider has shown.
    """

    name: str
    healthy: bool
    in_use: bool
    height: int | None
    behind: int
    error: str


class EvmNode(Protocol):
    """One EVM chain, behind any number of RPC providers. Methods take sets, answer in order.

    Reads that fail with `Transient` on one provider are asked of the next. A provider that is
    behind the highest head seen, or of another chain, is passed over.
    """

    @property
    def chain_id(self) -> int: ...

    async def head(self) -> Block:
        """The latest block of the provider in use."""

    async def blocks(self, numbers: Sequence[int]) -> list[Block | None]:
        """Headers by number; None above the head."""

    async def logs(self, address: str, topics: Sequence[str], first: int, last: int) -> LogRange:
        """The logs of a contract in blocks `first`..`last` with one of `topics` as their first:
        all from one provider, the chain unchanged in between.

        Raises:
            RangeTooLarge: ask for fewer blocks.
            Transient: no provider answered, or the chain moved meanwhile.
        """

    async def call(
        self, calls: Sequence[Call], block: int | Literal["latest"] = "latest"
    ) -> list[bytes | Reverted]:
        """What contracts answer, all from one provider, at the block where a number is given."""

    async def estimate_gas(self, calls: Sequence[Call]) -> list[int | Reverted]:
        """The gas each call would use now; no margin added."""

    async def balances(self, addresses: Sequence[str]) -> list[int]:
        """Wei per address at the latest block."""

    async def observe(self, signer: str, hashes: Sequence[str]) -> Observation:
        """Head, account and receipts from one provider, the head read first.

        Receipts of transactions the node does not have in a block are None.
        """

    async def receipts(self, hashes: Sequence[str]) -> dict[str, Receipt]:
        """By hash, the receipts that any of the providers has, all of which are asked. Where two
        tell different blocks, one of both is taken."""

    async def nonces(self, signer: str) -> list[int]:
        """The signer's transaction count at the latest block of each provider that tells it."""

    async def send(self, transactions: Sequence[bytes]) -> list[Sent]:
        """Send raw signed transactions, in order, to every provider that can be asked, for one may
        forget what it took: the best answer for each. Never raises a `ChainError`."""

    def providers(self) -> list[NodeStatus]:
        """How the providers did when they were last asked."""


class ApprovalSigner(Protocol):
    """A key that approves: it never leaves the key service."""

    def address(self) -> str:
        """The key's address; read once.

        Raises:
            Definitive: the key is of another kind, or not the one that was configured.
            Transient: the service could not be reached.
        """

    def check(self) -> None:
        """Ask the service for the key.

        Raises:
            ChainError: it does not answer, or the key is not the one that signs.
        """

    def sign(self, digests: Sequence[bytes]) -> list[bytes | ChainError]:
        """65-byte signatures r‖s‖v of 32-byte digests, low s, v 27 or 28, each checked to recover
        to `address`; an error in the place of one that could not be made. Never raises."""


class ComplianceFeed(Protocol):
    """The compliance service's approvals, as they come: outside input, for the caller to judge."""

    async def pending(self) -> list[object]:
        """Every approved mint that is not settled there, decoded from JSON.

        Raises:
            Transient: no answer in time, or none that can be read.
        """

    def frames(self) -> AsyncIterator[str | bytes]:
        """The live frames of one connection; ends when the service closes it.

        Raises:
            Transient: the connection could not be made, or broke.
        """
