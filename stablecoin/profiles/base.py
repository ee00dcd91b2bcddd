"""What differs between the contract designs in use, and what does not."""

from dataclasses import dataclass
from typing import Literal, Protocol

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from chains.evm.ports import Log
from stablecoin.typed_data import Domain

EventKind = Literal["minted", "redeem_requested", "redeem_finalized", "redeem_cancelled"]


@dataclass(frozen=True, slots=True)
class MintTerms:
    """What an approval lets a relayer mint. `deadline` is in unix seconds."""

    request_id: str
    to: str
    amount: int
    nonce: int
    deadline: int
    chain_id: int


@dataclass(frozen=True, slots=True)
class RedeemTerms:
    """What an approval lets a relayer burn of the tokens that a holder gave for it."""

    request_id: str
    holder: str
    amount: int
    nonce: int
    deadline: int
    reference: str


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """An event of the contract; `request_id` is the chain's name of the request."""

    kind: EventKind
    request_id: str
    account: str
    amount: int


class MalformedLog(ValueError):
    """A log with a topic of the contract and content that is not."""


class Profile(Protocol):
    """One contract design.

    Attributes:
        domain_name: EIP-712 name; None where it is the token's own.
        ordered_nonces: a mint's nonce must be the account's next on chain, so mints to one
            account go one by one.
        locks_tokens: a redeem's tokens lie in the contract until it is finalized.
        finalizes_redeems: a redeem needs an approval; otherwise its event is all there is.
        names_bank: a redeem's approval names the bank's reference of the payment.
        hashes_names: the chain knows a request by the hash of its name.
        topics: first topics of the events that `decode` understands.
    """

    @property
    def name(self) -> str: ...

    @property
    def domain_name(self) -> str | None: ...

    @property
    def ordered_nonces(self) -> bool: ...

    @property
    def locks_tokens(self) -> bool: ...

    @property
    def finalizes_redeems(self) -> bool: ...

    @property
    def names_bank(self) -> bool: ...

    @property
    def hashes_names(self) -> bool: ...

    @property
    def topics(self) -> tuple[str, ...]: ...

    def request_key(self, request_id: str) -> str:
        """The chain's name of a request."""

    def mint_digest(self, domain: Domain, terms: MintTerms) -> bytes: ...

    def redeem_digest(self, domain: Domain, terms: RedeemTerms) -> bytes: ...

    def mint_call(self, terms: MintTerms, signature: bytes) -> bytes: ...

    def redeem_call(self, terms: RedeemTerms, signature: bytes) -> bytes: ...

    def nonce_call(self, account: str) -> bytes | None:
        """Asks for an account's next nonce, where nonces are ordered."""

    def locked_call(self) -> bytes | None:
        """Asks for the locked amount, where tokens are locked."""

    def processed_call(self, request_id: str) -> bytes | None:
        """Asks whether a request is done, where the contract tells."""

    def lock_call(self, request_id: str) -> bytes | None:
        """Asks who locked how much for a redeem, where tokens are locked."""

    def decode(self, log: Log) -> ChainEvent | None:
        """The log's meaning; None where its topic is not one of `topics`.

        Raises:
            MalformedLog: it has such a topic and other content.
        """


def call(signature: str, *values: object) -> bytes:
    """Call data of a function such as `mint(address,uint256)`; its types are not nested."""
    inside = signature[signature.index("(") + 1 : -1]
    types = inside.split(",") if inside else []
    return keccak(text=signature)[:4] + encode(types, list(values))


def topic(signature: str) -> str:
    """The first topic of an event such as `Transfer(address,address,uint256)`."""
    return "0x" + keccak(text=signature).hex()


def indexed_address(log: Log, position: int) -> str:
    """An address among a log's topics."""
    try:
        word = bytes.fromhex(log.topics[position][2:])
    except (IndexError, ValueError):
        raise MalformedLog("a topic is missing or no hex") from None
    if len(word) != 32 or any(word[:12]):
        raise MalformedLog("a topic is no address")
    return to_checksum_address(word[12:])


def data(log: Log, *types: str) -> tuple[object, ...]:
    """The values in a log's data."""
    try:
        return tuple(decode(list(types), log.data))
    except (DecodingError, UnicodeDecodeError, OverflowError) as error:
        raise MalformedLog(f"its data cannot be read ({type(error).__name__})") from None


def bytes32(request_id: str) -> bytes:
    """A request's name as 32 bytes: itself if it is written so, else its hash."""
    if len(request_id) == 66 and request_id.startswith("0x"):
        try:
            return bytes.fromhex(request_id[2:])
        except ValueError:
            pass
    return keccak(text=request_id)


# Of every profile: ERC-20, and the registry that knows who was identified.
SUPPLY_CALL = call("totalSupply()")
NAME_CALL = call("name()")
DOMAIN_CALL = call("eip712Domain()")


def kyc_call(accounts: list[str]) -> bytes:
    """Asks the registry about many accounts at once."""
    return call("batchIsKYCVerified(address[])", accounts)


def decode_flags(answer: bytes) -> list[bool]:
    """
    Raises:
        MalformedLog: it is no list of booleans.
    """
    try:
        (flags,) = decode(["bool[]"], answer)
    except (DecodingError, OverflowError):
        raise MalformedLog("the answer is no list of booleans") from None
    return list(flags)


def decode_number(answer: bytes) -> int:
    """
    Raises:
        MalformedLog: it is no number.
    """
    if len(answer) != 32:
        raise MalformedLog("the answer is no number")
    return int.from_bytes(answer)
