import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import from_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import Transaction
from spl.token.instructions import (
    create_idempotent_associated_token_account,
    get_associated_token_address,
    transfer_checked,
)
from spl.token.models import TransferCheckedParams

from chains.solana import swap
from chains.solana.programs import (
    ASSOCIATED_TOKEN_PROGRAM,
    COMPUTE_BUDGET_PROGRAM,
    MEMO_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    create_token_account,
)
from chains.solana.programs import transfer_checked as ours

TAKER, MAKER = Keypair(), Keypair()
SOL = swap.Token("So11111111111111111111111111111111111111112", 9)
PYUSD = swap.Token("2b1kV6DkPAnxd5ixfnxCpjxmKwqjjaYmCZfHsFu24GXo", 6, token2022=True)
BLOCKHASH = str(Hash.new_unique())


def a_swap(**changes: object) -> swap.Swap:
    fields: dict[str, object] = {
        "taker": str(TAKER.pubkey()),
        "maker": str(MAKER.pubkey()),
        "sell": SOL,
        "sell_amount": 10**9,
        "buy": PYUSD,
        "buy_amount": 160_000_000,
        "reference": "0198c5a0-7e6b-7c11-9d3e-5b1c2a3d4e5f",
    }
    return swap.Swap(**(fields | changes))  # type: ignore[arg-type]


def test_both_signatures_make_a_valid_transaction_named_by_the_takers() -> None:
    message = swap.build(a_swap(), blockhash=BLOCKHASH)
    taker_signature = bytes(TAKER.sign_message(message))
    raw = swap.assemble(
        message,
        taker_signature=taker_signature,
        maker_signature=bytes(MAKER.sign_message(message)),
    )
    transaction = Transaction.from_bytes(raw)
    transaction.verify()
    assert bytes(transaction) == raw
    assert str(transaction.signatures[0]) == swap.transaction_signature(taker_signature)
    assert transaction.message.account_keys[0] == TAKER.pubkey()


def test_an_unsigned_transaction_awaits_both() -> None:
    message = swap.build(a_swap(), blockhash=BLOCKHASH)
    transaction = Transaction.from_bytes(swap.unsigned(message))
    assert transaction.signatures == [Signature.default(), Signature.default()]
    assert bytes(transaction.message) == message


def test_the_message_holds_the_two_transfers_and_the_reference() -> None:
    message = from_bytes_versioned(swap.build(a_swap(), blockhash=BLOCKHASH))
    keys = message.account_keys
    pay, receive, memo = message.instructions
    sol, pyusd = Pubkey.from_string(SOL.mint), Pubkey.from_string(PYUSD.mint)
    taker, maker = TAKER.pubkey(), MAKER.pubkey()
    assert keys[pay.program_id_index] == TOKEN_PROGRAM
    assert [keys[i] for i in pay.accounts] == [
        get_associated_token_address(taker, sol),
        sol,
        get_associated_token_address(maker, sol),
        taker,
    ]
    assert pay.data == b"\x0c" + (10**9).to_bytes(8, "little") + b"\x09"
    assert keys[receive.program_id_index] == TOKEN_2022_PROGRAM
    assert [keys[i] for i in receive.accounts] == [
        get_associated_token_address(maker, pyusd, TOKEN_2022_PROGRAM),
        pyusd,
        get_associated_token_address(taker, pyusd, TOKEN_2022_PROGRAM),
        maker,
    ]
    assert receive.data == b"\x0c" + (160_000_000).to_bytes(8, "little") + b"\x06"
    assert memo.data == b"fairlane:0198c5a0-7e6b-7c11-9d3e-5b1c2a3d4e5f"
    assert str(message.recent_blockhash) == BLOCKHASH


def test_budget_and_output_account_come_first_where_asked() -> None:
    full = a_swap(create_output_account=True, compute_budget=swap.ComputeBudget(80_000, 1_000))
    message = swap.build(full, blockhash=BLOCKHASH)
    assert swap.instruction_programs(message) == [
        str(program)
        for program in (
            COMPUTE_BUDGET_PROGRAM,
            COMPUTE_BUDGET_PROGRAM,
            ASSOCIATED_TOKEN_PROGRAM,
            TOKEN_PROGRAM,
            TOKEN_2022_PROGRAM,
            MEMO_PROGRAM,
        )
    ]
    assert len(swap.unsigned(message)) <= swap.MAX_TRANSACTION_BYTES


@pytest.mark.parametrize("amount", [-1, 2**64])
def test_an_amount_that_fits_no_chain_is_an_error(amount: int) -> None:
    with pytest.raises(OverflowError):
        swap.build(a_swap(sell_amount=amount), blockhash=BLOCKHASH)


@pytest.mark.parametrize("field", ["taker", "maker"])
def test_a_malformed_address_is_an_error(field: str) -> None:
    with pytest.raises(ValueError, match="Invalid Base58 string"):
        swap.build(a_swap(**{field: "not base58"}), blockhash=BLOCKHASH)


def test_a_signature_over_another_message_does_not_verify() -> None:
    signature = bytes(MAKER.sign_message(b"this"))
    signer = str(MAKER.pubkey())
    assert swap.verify(signature, signer=signer, message=b"this")
    assert not swap.verify(signature, signer=signer, message=b"that")


@given(amount=st.integers(0, 2**64 - 1), decimals=st.integers(0, 255))
def test_a_transfer_is_the_one_the_spl_package_builds(amount: int, decimals: int) -> None:
    source, mint, destination, authority = (Pubkey.new_unique() for _ in range(4))
    theirs = transfer_checked(
        TransferCheckedParams(
            program_id=TOKEN_2022_PROGRAM,
            source=source,
            mint=mint,
            dest=destination,
            owner=authority,
            amount=amount,
            decimals=decimals,
        )
    )
    assert theirs == ours(
        program=TOKEN_2022_PROGRAM,
        source=source,
        mint=mint,
        destination=destination,
        authority=authority,
        amount=amount,
        decimals=decimals,
    )


@pytest.mark.parametrize("program", [TOKEN_PROGRAM, TOKEN_2022_PROGRAM])
def test_an_account_creation_is_the_one_the_spl_package_builds(program: Pubkey) -> None:
    owner, mint = Keypair().pubkey(), Pubkey.new_unique()
    assert create_token_account(
        payer=owner,
        address=get_associated_token_address(owner, mint, program),
        owner=owner,
        mint=mint,
        program=program,
    ) == create_idempotent_associated_token_account(owner, owner, mint, program)
