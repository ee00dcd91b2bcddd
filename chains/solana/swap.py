"""The transaction of a swap against a market maker: two transfers with fixed amounts.

Both parties sign the same message, so either both transfers happen or none. The taker pays the
fee and is the first account: its signature names the transaction. It signs *last*, so the maker
can never land a swap whose signature the taker has not stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import Message, from_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.token.associated import get_associated_token_address

from chains.solana.programs import (
    create_token_account,
    memo,
    token_program,
    transfer_checked,
)

MEMO_PREFIX = "fairlane:"

# A cluster refuses larger ones: IPv6's smallest MTU less its headers.
MAX_TRANSACTION_BYTES = 1232

_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Token:
    """A mint with what every transfer of it has to name."""

    mint: str
    decimals: int
    token2022: bool = False


@dataclass(frozen=True, slots=True)
class ComputeBudget:
    """`unit_price` is in micro-lamports per compute unit."""

    unit_limit: int
    unit_price: int


@dataclass(frozen=True, slots=True)
class Swap:
    """What taker and maker agreed on. `reference` goes on chain, in the memo."""

    taker: str
    maker: str
    sell: Token
    sell_amount: int
    buy: Token
    buy_amount: int
    reference: str
    create_output_account: bool = False
    compute_budget: ComputeBudget | None = None


def build(swap: Swap, *, blockhash: str) -> bytes:
    """The serialized message of `swap`: what both parties sign.

    Raises:
        ValueError: an address or the blockhash is malformed.
        OverflowError: an amount does not fit an on-chain integer.
    """
    taker, maker = _pubkey(swap.taker), _pubkey(swap.maker)
    instructions: list[Instruction] = []
    if budget := swap.compute_budget:
        instructions.append(set_compute_unit_limit(budget.unit_limit))
        instructions.append(set_compute_unit_price(budget.unit_price))
    if swap.create_output_account:
        instructions.append(_create_account(taker, swap.buy))
    instructions.append(_transfer(taker, maker, swap.sell, swap.sell_amount))
    instructions.append(_transfer(maker, taker, swap.buy, swap.buy_amount))
    instructions.append(memo(MEMO_PREFIX + swap.reference))
    return bytes(Message.new_with_blockhash(instructions, taker, Hash.from_string(blockhash)))


def unsigned(message: bytes) -> bytes:
    """A transaction over `message` that nobody has signed."""
    count = _required_signatures(message)
    return bytes((count,)) + bytes(_SIGNATURE_BYTES * count) + message


def assemble(message: bytes, *, taker_signature: bytes, maker_signature: bytes) -> bytes:
    """The transaction, ready to send."""
    return b"\x02" + taker_signature + maker_signature + message


def transaction_signature(taker_signature: bytes) -> str:
    """The base58 text that names the transaction on chain."""
    return str(Signature.from_bytes(taker_signature))


def verify(signature: bytes, *, signer: str, message: bytes) -> bool:
    """Whether `signature` is `signer`'s over `message`."""
    return Signature.from_bytes(signature).verify(_pubkey(signer), message)


def instruction_programs(message: bytes) -> Sequence[str]:
    """The program id of each instruction, which `failures.explain` needs."""
    parsed = from_bytes_versioned(message)
    keys = parsed.account_keys
    return [str(keys[instruction.program_id_index]) for instruction in parsed.instructions]


def token_account(owner: str, token: Token) -> str:
    """The address of the account in which `owner` holds `token`."""
    return str(_token_account(_pubkey(owner), _pubkey(token.mint), token.token2022))


def _create_account(owner: Pubkey, token: Token) -> Instruction:
    mint = _pubkey(token.mint)
    return create_token_account(
        payer=owner,
        address=_token_account(owner, mint, token.token2022),
        owner=owner,
        mint=mint,
        program=token_program(token2022=token.token2022),
    )


def _transfer(source: Pubkey, destination: Pubkey, token: Token, amount: int) -> Instruction:
    mint = _pubkey(token.mint)
    return transfer_checked(
        program=token_program(token2022=token.token2022),
        source=_token_account(source, mint, token.token2022),
        mint=mint,
        destination=_token_account(destination, mint, token.token2022),
        authority=source,
        amount=amount,
        decimals=token.decimals,
    )


def _required_signatures(message: bytes) -> int:
    versioned = message[0] & 0x80
    return message[1] if versioned else message[0]


_pubkey = lru_cache(maxsize=1024)(Pubkey.from_string)


@lru_cache(maxsize=16_384)  # 7 µs of hashing each, four a swap; wallets come back
def _token_account(owner: Pubkey, mint: Pubkey, token2022: bool) -> Pubkey:
    return get_associated_token_address(owner, mint, token_program(token2022=token2022))
