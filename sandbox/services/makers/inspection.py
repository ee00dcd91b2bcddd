"""What a maker reads before it signs: every instruction of the message, against its quote."""

from base64 import b64decode
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from solders.message import Message, MessageV0, from_bytes_versioned, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.token.associated import get_associated_token_address

from chains.solana.programs import (
    ASSOCIATED_TOKEN_PROGRAM,
    COMPUTE_BUDGET_PROGRAM,
    MEMO_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
)
from sandbox.services.makers.pricing import Token

MEMO_PREFIX = b"fairlane:"
MEMO_LIMIT = 128

# The data of SetComputeUnitLimit (u32) and SetComputeUnitPrice (u64): tag and total length.
BUDGET_INSTRUCTIONS = frozenset({(b"\x02", 5), (b"\x03", 9)})
CREATE_IDEMPOTENT = b"\x01"
TRANSFER_CHECKED = b"\x0c"

TRANSACTION_LIMIT = 1232
# The taker's and the maker's; both still empty.
NO_SIGNATURES = b"\x02" + bytes(128)


class Rejected(ValueError):
    """The transaction is not the swap that was quoted; says what differs."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The swap a maker has promised."""

    sell: Token
    sell_amount: int
    buy: Token
    buy_amount: int


class Step(NamedTuple):
    """An instruction with its accounts looked up."""

    program: Pubkey
    accounts: list[Pubkey]
    data: bytes


def message_of(transaction: str) -> bytes:
    """The message of a base64 transaction that awaits exactly two signatures.

    Raises:
        Rejected: the text is not that.
    """
    try:
        raw = b64decode(transaction, validate=True)
    except ValueError:
        raise Rejected("the transaction is not base64") from None
    if len(raw) > TRANSACTION_LIMIT:
        raise Rejected("the transaction is too large")
    if not raw.startswith(NO_SIGNATURES):
        raise Rejected("the transaction does not await exactly two signatures")
    return raw[len(NO_SIGNATURES) :]


def inspect(message: bytes, terms: Terms, maker: Pubkey) -> None:
    """Check that signing `message` does what `terms` say and nothing else.

    Raises:
        Rejected: it does not.
    """
    parsed = _parse(message)
    keys = parsed.account_keys
    if parsed.header.num_required_signatures != 2 or keys[1] != maker or keys[0] == maker:
        raise Rejected("the signers are not taker and maker, in this order")
    taker = keys[0]
    steps = _without_budget(_steps(parsed, keys))
    if steps and steps[0] == _creation(taker, terms.buy):
        steps = steps[1:]
    if len(steps) != 3:
        raise Rejected("there are not exactly two transfers and a memo")
    if steps[0] != _transfer(taker, maker, terms.sell, terms.sell_amount):
        raise Rejected("the transfer to the maker is not the quoted one")
    if steps[1] != _transfer(maker, taker, terms.buy, terms.buy_amount):
        raise Rejected("the transfer to the taker is not the quoted one")
    _check_memo(steps[2])


def _parse(message: bytes) -> Message | MessageV0:
    try:
        parsed = from_bytes_versioned(message)
    except ValueError:
        raise Rejected("the message is unreadable") from None
    if not isinstance(parsed, (Message, MessageV0)) or to_bytes_versioned(parsed) != message:
        raise Rejected("the message is not in its plain form")
    if isinstance(parsed, MessageV0) and parsed.address_table_lookups:
        raise Rejected("the message hides accounts in lookup tables")
    if len(parsed.account_keys) < 2:
        raise Rejected("the message names no two accounts")
    return parsed


def _steps(parsed: Message | MessageV0, keys: list[Pubkey]) -> list[Step]:
    try:
        return [
            Step(keys[i.program_id_index], [keys[account] for account in i.accounts], i.data)
            for i in parsed.instructions
        ]
    except IndexError:
        raise Rejected("an instruction names an account that is not there") from None


def _without_budget(steps: list[Step]) -> list[Step]:
    """The steps after the compute budget's, which may set limit and price once each."""
    seen = set()
    while steps and steps[0].program == COMPUTE_BUDGET_PROGRAM:
        step, steps = steps[0], steps[1:]
        form = (step.data[:1], len(step.data))
        if form not in BUDGET_INSTRUCTIONS or form in seen or step.accounts:
            raise Rejected("the compute budget is set in an unknown way")
        seen.add(form)
    return steps


def _check_memo(step: Step) -> None:
    if step.program != MEMO_PROGRAM or step.accounts:
        raise Rejected("the last instruction is no plain memo")
    if not step.data.startswith(MEMO_PREFIX) or len(step.data) > MEMO_LIMIT:
        raise Rejected("the memo does not name an order")


def _creation(owner: Pubkey, token: Token) -> Step:
    mint = _mint(token)
    accounts = [owner, token_account(owner, token), owner, mint, SYSTEM_PROGRAM, _program(token)]
    return Step(ASSOCIATED_TOKEN_PROGRAM, accounts, CREATE_IDEMPOTENT)


def _transfer(source: Pubkey, destination: Pubkey, token: Token, amount: int) -> Step:
    accounts = [
        token_account(source, token),
        _mint(token),
        token_account(destination, token),
        source,
    ]
    data = TRANSFER_CHECKED + amount.to_bytes(8, "little") + bytes((token.decimals,))
    return Step(_program(token), accounts, data)


@lru_cache(maxsize=16_384)
def token_account(owner: Pubkey, token: Token) -> Pubkey:
    """The account in which `owner` holds `token`."""
    return get_associated_token_address(owner, _mint(token), _program(token))


@lru_cache(maxsize=256)
def _mint(token: Token) -> Pubkey:
    return Pubkey.from_string(token.mint)


def _program(token: Token) -> Pubkey:
    return TOKEN_2022_PROGRAM if token.token2022 else TOKEN_PROGRAM
