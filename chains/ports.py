"""What the apps ask of the outside world: protocols and the values that cross them.

Amounts are base units, addresses and transaction signatures base58 text, times UTC unix time.
Every adapter raises only the errors of `chains.errors`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Commitment = Literal["processed", "confirmed", "finalized"]


@dataclass(frozen=True, slots=True)
class Blockhash:
    """A recent blockhash and the last block height at which it is still accepted.

    `slot` is where the node stood when it gave it: what is signed on it lands later, if ever.
    """

    value: str
    slot: int
    last_valid_block_height: int


@dataclass(frozen=True, slots=True)
class SignatureStatus:
    """What the cluster knows of a transaction; `err` is None where it succeeded."""

    slot: int
    confirmation: Commitment
    err: object | None


@dataclass(frozen=True, slots=True)
class Observation:
    """Statuses, with what expiry is judged on besides.

    Attributes:
        finalized_height: read *before* the statuses.
        first_available: the slot at which the history begins that was searched for them.
    """

    finalized_height: int
    first_available: int
    statuses: Sequence[SignatureStatus | None]


@dataclass(frozen=True, slots=True)
class SendOutcome:
    """What a node answered to a send. For logs and metrics: it decides nothing."""

    signature: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Simulation:
    """A dry run: `err` is None where it would have succeeded."""

    err: object | None
    units_consumed: int
    logs: Sequence[str]


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """One token account's amount before and after a transaction."""

    account: str
    owner: str
    mint: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class LandedTransaction:
    """A transaction as recorded in its block. `fee` is in lamports, `block_time` in seconds.

    Attributes:
        payer: the wallet that paid the fee, and signed first.
        memos: the texts of its own Memo instructions, in order.
    """

    signature: str
    slot: int
    block_time: int | None
    fee: int
    err: object | None
    balances: Sequence[TokenBalance]
    logs: Sequence[str]
    payer: str = ""
    memos: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ListedTransaction:
    """A line of the list of an address' transactions.

    Attributes:
        memo: the texts of its Memo instructions, as the node joins them; None without any.
    """

    signature: str
    slot: int
    err: object | None
    memo: str | None


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """An SPL token account; `owner` is the wallet that may spend from it.

    Attributes:
        delegate: who else may spend from it, up to `delegated_amount` base units.
    """

    address: str
    owner: str
    mint: str
    amount: int
    delegate: str | None = None
    delegated_amount: int = 0


@dataclass(frozen=True, slots=True)
class Mint:
    """A token's mint.

    Attributes:
        hazards: Token-2022 extensions by which a vault may hold other than what was paid into it,
            such as "transfer fee". A market of such a mint cannot keep its books.
    """

    address: str
    decimals: int
    token2022: bool
    hazards: Sequence[str]


@dataclass(frozen=True, slots=True)
class SlotSample:
    """A slot that began, and the local monotonic clock when it was heard of, in seconds."""

    slot: int
    heard_at: float


class SolanaNode(Protocol):
    """One Solana RPC provider. All methods take sets and answer in the order asked."""

    async def latest_blockhash(self) -> Blockhash:
        """The latest confirmed blockhash."""

    async def block_height(self, commitment: Commitment = "finalized") -> int: ...

    async def slot(self, commitment: Commitment = "confirmed") -> int: ...

    async def healthy(self) -> bool:
        """Whether the node answers and says it is in step with the cluster; never raises."""

    async def statuses(
        self, signatures: Sequence[str], *, not_before_slot: int = 0
    ) -> list[SignatureStatus | None]:
        """Statuses with the whole history searched; None where the node knows nothing.

        Args:
            not_before_slot: a view that has not reached this slot is no answer, but ``Behind``.
        """

    async def observe(self, signatures: Sequence[str]) -> Observation:
        """The finalized height, then statuses and the history's begin, all of this provider."""

    async def send(self, transactions: Sequence[bytes]) -> list[SendOutcome]:
        """Send signed transactions without preflight or retries. Never raises."""

    async def simulate(self, transactions: Sequence[bytes]) -> list[Simulation]:
        """Dry-run transactions; signatures are not checked and the blockhash is replaced."""

    async def listed(
        self, address: str, *, before: str | None = None
    ) -> Sequence[ListedTransaction]:
        """Up to 1,000 finalized transactions that name an address, the newest first.

        Fewer where the history ends, whether by its age or because the node keeps no more.

        Args:
            before: the signature that the list goes on after; None from the newest on.
        """

    async def transactions(
        self, signatures: Sequence[str], commitment: Commitment = "confirmed"
    ) -> list[LandedTransaction | None]:
        """Transactions with their token balances; never raises.

        None where there is none yet, or where it cannot be read now.
        """

    async def token_accounts(
        self,
        addresses: Sequence[str],
        commitment: Commitment = "confirmed",
        *,
        not_before_slot: int = 0,
    ) -> list[TokenAccount | None]:
        """SPL Token and Token-2022 accounts; None where the address holds no token account.

        Args:
            not_before_slot: a view that has not reached this slot is no answer, but ``Behind``.
        """

    async def mints(self, addresses: Sequence[str]) -> list[Mint | None]:
        """SPL Token and Token-2022 mints; None where the address holds no mint."""

    async def prioritization_fee(self, writable: Sequence[str]) -> int:
        """A capped percentile of recent fees, in micro-lamports per compute unit."""

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    request_id: str
    input_mint: str
    output_mint: str
    amount_in: int


@dataclass(frozen=True, slots=True)
class FirmQuote:
    """A maker's promise to pay `amount_out` (net of `fee_amount`, which is in output units)."""

    request_id: str
    quote_id: str
    maker: str
    amount_out: int
    fee_amount: int
    fee_bps: int
    price_impact_bps: int
    expires_at_ms: int


QuoteRefusalCode = Literal["unknown_pair", "insufficient_liquidity", "unavailable", "invalid"]


@dataclass(frozen=True, slots=True)
class QuoteRefusal:
    """No quote: `invalid` also stands for an answer that could not be understood."""

    request_id: str
    code: QuoteRefusalCode
    message: str


@dataclass(frozen=True, slots=True)
class CosignRequest:
    """Ask `maker` to sign `message`, the serialized message of a transaction nobody signed yet."""

    quote_id: str
    maker: str
    message: bytes
    min_amount_out: int


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The maker's 64-byte signature, already verified over the message that was asked."""

    quote_id: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class CosignPending:
    """The maker is not done: ask the same again after `retry_after_ms`."""

    quote_id: str
    retry_after_ms: int


CosignRefusalCode = Literal["slippage", "expired", "unavailable", "quote_used", "invalid"]


@dataclass(frozen=True, slots=True)
class CosignRefused:
    """Final for this quote. The taker signs last, so nothing can have landed."""

    quote_id: str
    code: CosignRefusalCode
    message: str


class QuoteVenue(Protocol):
    """A market maker that gives firm quotes and co-signs the swaps built on them."""

    @property
    def name(self) -> str: ...

    async def quotes(self, requests: Sequence[QuoteRequest]) -> list[FirmQuote | QuoteRefusal]:
        """One answer per request.

        Raises:
            Transient: the venue could not be reached, or asked for patience.
        """

    async def cosign(
        self, requests: Sequence[CosignRequest]
    ) -> list[Cosigned | CosignPending | CosignRefused]:
        """One answer per request; asking the same again is safe.

        Raises:
            Transient: the venue could not be reached, or asked for patience.
        """

    async def aclose(self) -> None: ...


class WalletKeys(Protocol):
    """The wallets Fairlane signs for. Secrets never leave the implementation."""

    def labels(self) -> Mapping[str, str]:
        """The wallets it signs for, as far as known: the name people gave each, by address."""

    def has(self, address: str) -> bool: ...

    def sign(self, address: str, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature of `address` over `message`.

        Raises:
            Definitive: the wallet's key is not held here.
        """
