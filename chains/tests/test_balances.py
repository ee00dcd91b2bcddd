from chains.ports import LandedTransaction, TokenBalance
from chains.solana.balances import change, swapped


def landed(*balances: TokenBalance) -> LandedTransaction:
    return LandedTransaction("sig", 1, 0, 5000, None, balances, ())


def test_the_amounts_of_a_swap_are_those_of_the_owner_in_each_mint() -> None:
    transaction = landed(
        TokenBalance("a", "taker", "SOL", 1000, 400),
        TokenBalance("b", "taker", "USDC", 0, 96),
        TokenBalance("c", "maker", "SOL", 0, 600),
        TokenBalance("d", "maker", "USDC", 100, 4),
    )
    assert swapped(transaction, owner="taker", input_mint="SOL", output_mint="USDC") == (600, 96)
    assert swapped(transaction, owner="maker", input_mint="USDC", output_mint="SOL") == (96, 600)


def test_all_token_accounts_of_the_owner_count() -> None:
    transaction = landed(
        TokenBalance("a", "taker", "USDC", 10, 0), TokenBalance("b", "taker", "USDC", 0, 7)
    )
    assert change(transaction, owner="taker", mint="USDC") == -3


def test_who_holds_nothing_of_the_mint_sees_no_change() -> None:
    assert change(landed(), owner="taker", mint="USDC") == 0
