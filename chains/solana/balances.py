"""What a transaction really moved, read from its own token balances."""

from chains.ports import LandedTransaction


def change(transaction: LandedTransaction, *, owner: str, mint: str) -> int:
    """How much more of `mint` the wallet `owner` holds after the transaction, over all its
    token accounts; negative where it holds less."""
    return sum(
        balance.after - balance.before
        for balance in transaction.balances
        if balance.owner == owner and balance.mint == mint
    )


def swapped(
    transaction: LandedTransaction, *, owner: str, input_mint: str, output_mint: str
) -> tuple[int, int]:
    """The amounts `owner` really paid and received, both counted positive."""
    return (
        -change(transaction, owner=owner, mint=input_mint),
        change(transaction, owner=owner, mint=output_mint),
    )
