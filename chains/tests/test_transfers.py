"""Vault transactions as bytes."""

from itertools import pairwise

import pytest
from solders.pubkey import Pubkey

from chains.ports import LandedTransaction, TokenBalance
from chains.solana import transfers
from chains.solana.swap import MAX_TRANSACTION_BYTES, Token, token_account, unsigned
from chains.tests.transfer_support import PYUSD, USDC, stranger

PAYER, AUTHORITY, VAULT, BLOCKHASH = (stranger() for _ in range(4))


def payouts(count: int, token: Token = USDC) -> list[transfers.Transfer]:
    return [
        transfers.payout(token, vault=VAULT, owner=stranger(), amount=i + 1, create=True)
        for i in range(count)
    ]


def pulls(count: int) -> list[transfers.Transfer]:
    return [transfers.pull(USDC, owner=stranger(), vault=VAULT, amount=i + 1) for i in range(count)]


def size(moves: list[transfers.Transfer], *, authority: str) -> int:
    packet = transfers.Packet(PAYER, authority, moves, "x" * 36)
    return len(unsigned(transfers.build(packet, blockhash=BLOCKHASH)))


@pytest.mark.parametrize("authority", [PAYER, AUTHORITY])
@pytest.mark.parametrize("moves", [payouts(40), pulls(60), payouts(9, PYUSD) + pulls(20)])
def test_packets_are_as_full_as_fits_and_keep_the_order(
    moves: list[transfers.Transfer], authority: str
) -> None:
    packed = [
        list(part)
        for part in transfers.pack(moves, payer=PAYER, authority=authority, reference_length=36)
    ]
    assert [move for part in packed for move in part] == moves
    assert all(size(part, authority=authority) <= MAX_TRANSACTION_BYTES for part in packed)
    for part, following in pairwise(packed):
        assert size([*part, following[0]], authority=authority) > MAX_TRANSACTION_BYTES


def test_nothing_packs_into_no_transaction() -> None:
    assert list(transfers.pack([], payer=PAYER, authority=PAYER, reference_length=36)) == []


@pytest.mark.parametrize("moves", [payouts(1), payouts(3)])
def test_a_reference_that_leaves_no_room_is_refused(moves: list[transfers.Transfer]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        list(transfers.pack(moves, payer=PAYER, authority=PAYER, reference_length=1000))


def test_the_same_packet_gives_the_same_bytes() -> None:
    packet = transfers.Packet(PAYER, AUTHORITY, payouts(3), "r", unit_price=7)
    assert transfers.build(packet, blockhash=BLOCKHASH) == transfers.build(
        packet, blockhash=BLOCKHASH
    )


@pytest.mark.parametrize(
    ("instruction", "position"),
    [(0, None), (1, None), (2, None), (3, 0), (4, 1), (5, 1), (6, 2), (7, None)],
)
def test_the_transfer_to_blame_is_the_one_of_the_failed_instruction(
    instruction: int, position: int | None
) -> None:
    """Two of the budget, the memo, a pull, an account with its payout, and a pull."""
    moves = [*pulls(1), *payouts(1), *pulls(1)]
    err = {"InstructionError": [instruction, {"Custom": 4}]}
    assert transfers.blamed(err, moves) == position


@pytest.mark.parametrize(
    "err",
    [
        None,
        "BlockhashNotFound",
        {"InsufficientFundsForRent": {}},
        {"InstructionError": [3, {"Custom": 1}]},  # the payer lacks the rent of an account
        {"InstructionError": [4, "ComputationalBudgetExceeded"]},
    ],
)
def test_nobody_is_blamed_for_what_concerns_the_whole(err: object) -> None:
    assert transfers.blamed(err, payouts(1)) is None


def transaction(*balances: TokenBalance, err: object = None) -> LandedTransaction:
    return LandedTransaction("s", 1, None, 5000, err, balances, ())


def balance(account: str, before: int, after: int) -> TokenBalance:
    return TokenBalance(account, stranger(), USDC.mint, before, after)


def test_what_moved_otherwise_than_asked_is_told_by_account() -> None:
    """As with a mint that keeps a fee of what it moves."""
    (move,) = [transfers.pull(USDC, owner=AUTHORITY, vault=VAULT, amount=100)]
    source = token_account(AUTHORITY, USDC)
    exact = transaction(balance(source, 100, 0), balance(VAULT, 1, 101))
    short = transaction(balance(source, 100, 0), balance(VAULT, 1, 99))
    other = str(Pubkey.new_unique())
    more = transaction(*exact.balances, balance(other, 5, 6))
    assert transfers.differences(exact, [move]) == {}
    assert transfers.differences(short, [move]) == {VAULT: (100, 98)}
    assert transfers.differences(more, [move]) == {other: (0, 1)}
    assert set(transfers.differences(transaction(), [move])) == {source, VAULT}


def test_an_owner_may_get_more_than_it_is_paid_and_the_vault_may_not() -> None:
    """As where wrapped SOL is created at an address that somebody has sent lamports to."""
    (move,) = [transfers.payout(USDC, vault=VAULT, owner=AUTHORITY, amount=100)]
    owners = {move.destination}
    gift = transaction(balance(VAULT, 100, 0), balance(move.destination, 0, 103))
    assert transfers.differences(gift, [move], at_least=owners) == {}
    assert transfers.differences(gift, [move]) == {move.destination: (100, 103)}
    short = transaction(balance(VAULT, 100, 0), balance(move.destination, 0, 99))
    assert set(transfers.differences(short, [move], at_least=owners)) == {move.destination}
    theft = transaction(balance(VAULT, 200, 0), balance(move.destination, 0, 200))
    assert set(transfers.differences(theft, [move], at_least=owners)) == {VAULT}


def test_a_failed_transaction_is_expected_to_move_nothing() -> None:
    (move,) = pulls(1)
    failed = transaction(balance(VAULT, 1, 1), err="failed")
    assert transfers.differences(failed, [move]) == {}
    odd = transaction(balance(VAULT, 1, 2), err="failed")
    assert transfers.differences(odd, [move]) == {VAULT: (0, 1)}
