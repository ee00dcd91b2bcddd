"""Transactions by which an owner lets the coordinator pull escrow, and stops it again.

A token account has one delegate, and an approval replaces the one before it.
"""

from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import Message
from solders.pubkey import Pubkey

from chains.solana import programs
from chains.solana.swap import Token, token_account


def approve(token: Token, *, owner: str, delegate: str, amount: int, blockhash: str) -> bytes:
    """The message by which `owner`, who pays the fee, lets `delegate` spend up to `amount`.

    Raises:
        ValueError: an address or the blockhash is malformed.
        OverflowError: the amount does not fit an on-chain integer.
    """
    instruction = programs.approve_checked(
        program=programs.token_program(token2022=token.token2022),
        source=Pubkey.from_string(token_account(owner, token)),
        mint=Pubkey.from_string(token.mint),
        delegate=Pubkey.from_string(delegate),
        owner=Pubkey.from_string(owner),
        amount=amount,
        decimals=token.decimals,
    )
    return _message(instruction, owner, blockhash)


def revoke(token: Token, *, owner: str, blockhash: str) -> bytes:
    """The message by which `owner`, who pays the fee, takes back any approval.

    Raises:
        ValueError: an address or the blockhash is malformed.
    """
    instruction = programs.revoke(
        program=programs.token_program(token2022=token.token2022),
        source=Pubkey.from_string(token_account(owner, token)),
        owner=Pubkey.from_string(owner),
    )
    return _message(instruction, owner, blockhash)


def _message(instruction: Instruction, owner: str, blockhash: str) -> bytes:
    payer = Pubkey.from_string(owner)
    return bytes(Message.new_with_blockhash([instruction], payer, Hash.from_string(blockhash)))
