"""The maker's check of a message: the quoted swap passes, everything else does not."""

from base64 import b64encode
from collections.abc import Callable, Sequence

import pytest
from solders.compute_budget import (
    request_heap_frame,
    set_compute_unit_limit,
    set_compute_unit_price,
)
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from chains.solana import programs, swap
from sandbox.services.makers.inspection import (
    Rejected,
    Terms,
    inspect,
    message_of,
    token_account,
)
from sandbox.services.makers.pricing import Token

MAKER, TAKER, STRANGER = (Keypair().pubkey() for _ in range(3))
SELL = Token("SELL", str(Pubkey.new_unique()), 9, False, 1)
BUY = Token("BUY", str(Pubkey.new_unique()), 6, True, 1)
TERMS = Terms(SELL, 1000, BUY, 900)


def pay(
    source: Pubkey, destination: Pubkey, token: Token, amount: int, *, decimals: int | None = None
) -> Instruction:
    return programs.transfer_checked(
        program=programs.TOKEN_2022_PROGRAM if token.token2022 else programs.TOKEN_PROGRAM,
        source=token_account(source, token),
        mint=Pubkey.from_string(token.mint),
        destination=token_account(destination, token),
        authority=source,
        amount=amount,
        decimals=token.decimals if decimals is None else decimals,
    )


def create(payer: Pubkey, owner: Pubkey, token: Token) -> Instruction:
    return programs.create_token_account(
        payer=payer,
        address=token_account(owner, token),
        owner=owner,
        mint=Pubkey.from_string(token.mint),
        program=programs.TOKEN_2022_PROGRAM if token.token2022 else programs.TOKEN_PROGRAM,
    )


IN = pay(TAKER, MAKER, SELL, 1000)
OUT = pay(MAKER, TAKER, BUY, 900)
MEMO = programs.memo("fairlane:order")
LIMIT, PRICE = set_compute_unit_limit(90_000), set_compute_unit_price(5)
CREATE = create(TAKER, TAKER, BUY)


def legacy(instructions: Sequence[Instruction], payer: Pubkey = TAKER) -> bytes:
    return bytes(Message.new_with_blockhash(list(instructions), payer, Hash.default()))


def versioned(instructions: Sequence[Instruction], payer: Pubkey = TAKER) -> bytes:
    message = MessageV0.try_compile(payer, list(instructions), [], Hash.default())
    return to_bytes_versioned(message)


@pytest.mark.parametrize("compiled", [legacy, versioned])
@pytest.mark.parametrize(
    "instructions",
    [
        [IN, OUT, MEMO],
        [CREATE, IN, OUT, MEMO],
        [LIMIT, IN, OUT, MEMO],
        [LIMIT, PRICE, IN, OUT, MEMO],
        [PRICE, LIMIT, CREATE, IN, OUT, MEMO],
    ],
)
def test_the_quoted_swap_passes(
    instructions: list[Instruction], compiled: Callable[[Sequence[Instruction]], bytes]
) -> None:
    inspect(compiled(instructions), TERMS, MAKER)


def test_what_the_swap_builder_builds_passes() -> None:
    built = swap.Swap(
        taker=str(TAKER),
        maker=str(MAKER),
        sell=swap.Token(SELL.mint, SELL.decimals),
        sell_amount=1000,
        buy=swap.Token(BUY.mint, BUY.decimals, token2022=True),
        buy_amount=900,
        reference="order",
        create_output_account=True,
        compute_budget=swap.ComputeBudget(90_000, 5),
    )
    inspect(swap.build(built, blockhash=str(Hash.default())), TERMS, MAKER)


STEAL = pay(MAKER, STRANGER, BUY, 1)
LAMPORTS = transfer(TransferParams(from_pubkey=MAKER, to_pubkey=TAKER, lamports=1))
SIGNED_MEMO = Instruction(
    programs.MEMO_PROGRAM, b"fairlane:order", [AccountMeta(MAKER, True, False)]
)


@pytest.mark.parametrize(
    "instructions",
    [
        pytest.param([], id="nothing"),
        pytest.param([IN, OUT], id="no memo"),
        pytest.param([OUT, IN, MEMO], id="maker pays first"),
        pytest.param([OUT, MEMO], id="taker pays nothing"),
        pytest.param([pay(TAKER, MAKER, SELL, 999), OUT, MEMO], id="taker pays less"),
        pytest.param([IN, pay(MAKER, TAKER, BUY, 901), MEMO], id="maker pays more"),
        pytest.param([IN, pay(MAKER, STRANGER, BUY, 900), MEMO], id="to somebody else"),
        pytest.param([pay(TAKER, STRANGER, SELL, 1000), OUT, MEMO], id="not to the maker"),
        pytest.param([pay(TAKER, MAKER, BUY, 1000), OUT, MEMO], id="in another token"),
        pytest.param([IN, pay(MAKER, TAKER, BUY, 900, decimals=7), MEMO], id="other decimals"),
        pytest.param([IN, OUT, OUT, MEMO], id="paid twice"),
        pytest.param([IN, OUT, STEAL, MEMO], id="one more transfer"),
        pytest.param([IN, OUT, LAMPORTS, MEMO], id="the maker's lamports"),
        pytest.param([IN, OUT, MEMO, LAMPORTS], id="something behind the memo"),
        pytest.param([IN, OUT, SIGNED_MEMO], id="a memo signed by the maker"),
        pytest.param([IN, OUT, programs.memo("other:order")], id="another memo"),
        pytest.param([IN, OUT, programs.memo("fairlane:" + "x" * 200)], id="a long memo"),
        pytest.param([LIMIT, LIMIT, IN, OUT, MEMO], id="limit twice"),
        pytest.param([request_heap_frame(32 * 1024), IN, OUT, MEMO], id="a heap frame"),
        pytest.param([IN, LIMIT, OUT, MEMO], id="budget in the middle"),
        pytest.param([create(MAKER, TAKER, BUY), IN, OUT, MEMO], id="maker pays the account"),
        pytest.param([create(TAKER, STRANGER, BUY), IN, OUT, MEMO], id="somebody's account"),
        pytest.param([create(TAKER, TAKER, SELL), IN, OUT, MEMO], id="the other account"),
        pytest.param([CREATE, CREATE, IN, OUT, MEMO], id="account twice"),
        pytest.param([IN, OUT, programs.memo("")], id="an empty memo"),
        pytest.param([pay(STRANGER, MAKER, SELL, 1000), OUT, MEMO], id="three signers"),
    ],
)
@pytest.mark.parametrize("compiled", [legacy, versioned])
def test_any_other_transaction_is_rejected(
    instructions: list[Instruction], compiled: Callable[[Sequence[Instruction]], bytes]
) -> None:
    with pytest.raises(Rejected):
        inspect(compiled(instructions), TERMS, MAKER)


def test_the_maker_pays_no_fee() -> None:
    with pytest.raises(Rejected, match="signers"):
        inspect(legacy([IN, OUT, MEMO], payer=MAKER), TERMS, MAKER)


def test_the_maker_does_not_trade_with_itself() -> None:
    own = [pay(MAKER, MAKER, SELL, 1000), pay(MAKER, MAKER, BUY, 900), MEMO]
    with pytest.raises(Rejected):
        inspect(legacy(own, payer=MAKER), TERMS, MAKER)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00",
        b"\x80",
        b"\x81" + legacy([IN, OUT, MEMO]),
        legacy([IN, OUT, MEMO]) + b"\x00",
        legacy([IN, OUT, MEMO])[:-1],
        b"\xff" * 200,
        legacy([])[:3] + b"\x00" + bytes(32) + b"\x00",
    ],
)
def test_bytes_that_are_not_one_plain_message_are_rejected(message: bytes) -> None:
    with pytest.raises(Rejected):
        inspect(message, TERMS, MAKER)


def test_every_changed_byte_is_noticed_or_is_the_blockhash() -> None:
    message = legacy([LIMIT, PRICE, CREATE, IN, OUT, MEMO])
    blockhash = range(4 + 32 * message[3], 4 + 32 * message[3] + 32)
    accepted = set()
    for position in range(len(message)):
        changed = bytearray(message)
        changed[position] ^= 1
        try:
            inspect(bytes(changed), TERMS, MAKER)
        except Rejected:
            continue
        accepted.add(position)
    memo = range(len(message) - len("order"), len(message))
    budget = {message.index(LIMIT.data) + 1 + n for n in range(4)}
    budget |= {message.index(PRICE.data) + 1 + n for n in range(8)}
    # The header's counts of read-only accounts only decide what a program may write.
    assert accepted <= {1, 2, *blockhash, *memo, *budget}
    assert accepted >= {*blockhash, *memo, *budget}


@pytest.mark.parametrize(
    "transaction",
    [
        "",
        "not base64!",
        b64encode(b"\x01" + bytes(64) + b"message").decode(),
        b64encode(b"\x02" + bytes(127) + b"\x01message").decode(),
        b64encode(b"\x02" + bytes(128 + 1232)).decode(),
    ],
)
def test_a_transaction_must_await_two_signatures(transaction: str) -> None:
    with pytest.raises(Rejected):
        message_of(transaction)


def test_the_message_of_a_transaction_is_what_follows_the_signatures() -> None:
    assert message_of(b64encode(swap.unsigned(b"\x02message")).decode()) == b"\x02message"
