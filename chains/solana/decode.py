"""Solana RPC results, which are outside input, as the values of `chains.ports`.

Every function raises KeyError, TypeError, ValueError or IndexError for a shape it does not know.
"""

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from solders.pubkey import Pubkey

from chains.ports import (
    LandedTransaction,
    ListedTransaction,
    SignatureStatus,
    Simulation,
    TokenAccount,
    TokenBalance,
)
from chains.solana.programs import MEMO_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM

MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError)

# The token account layout: mint 0, owner 32, amount 64, delegate's flag 72 and key 76, state 108,
# delegated amount 121, 165 bytes in all. Token-2022 puts extensions behind it, after a byte that
# tells an account (2) from a mint.
TOKEN_ACCOUNT_SLICE = {"offset": 0, "length": 166}
_TOKEN_ACCOUNT_BYTES = 165
_MULTISIG_BYTES = 355
_ACCOUNT_TYPE = 2
_STATE = 108

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

_TOKEN_PROGRAMS = frozenset({str(TOKEN_PROGRAM), str(TOKEN_2022_PROGRAM)})
_COMMITMENTS = frozenset({"processed", "confirmed", "finalized"})


def integer(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not an unsigned integer")
    return value


def status(value: Any) -> SignatureStatus | None:
    if value is None:
        return None
    confirmation = value["confirmationStatus"]
    if confirmation not in _COMMITMENTS:
        raise ValueError("unknown commitment")
    return SignatureStatus(integer(value["slot"]), confirmation, value["err"])


def simulation(value: Any) -> Simulation:
    return Simulation(
        err=value["err"],
        units_consumed=integer(value.get("unitsConsumed") or 0),
        logs=tuple(value.get("logs") or ()),
    )


def listed(value: Any) -> ListedTransaction:
    signature, memo = value["signature"], value.get("memo")
    if not isinstance(signature, str) or not (memo is None or isinstance(memo, str)):
        raise ValueError("not a line of a list")
    return ListedTransaction(signature, integer(value["slot"]), value["err"], memo)


def transaction(value: Any) -> LandedTransaction | None:
    if value is None:
        return None
    meta, body = value["meta"], value["transaction"]
    loaded = meta.get("loadedAddresses") or {"writable": [], "readonly": []}
    accounts = body["message"]["accountKeys"] + loaded["writable"] + loaded["readonly"]
    block_time = value.get("blockTime")
    return LandedTransaction(
        signature=body["signatures"][0],
        slot=integer(value["slot"]),
        block_time=None if block_time is None else integer(block_time),
        fee=integer(meta["fee"]),
        err=meta["err"],
        balances=_balances(meta, accounts),
        logs=tuple(meta.get("logMessages") or ()),
        payer=accounts[0],
        memos=tuple(_memos(body["message"]["instructions"], accounts)),
    )


def _memos(instructions: list[dict[str, Any]], accounts: list[str]) -> Iterator[str]:
    """The program accepts nothing but UTF-8, but a transaction that failed may hold anything."""
    for instruction in instructions:
        if accounts[instruction["programIdIndex"]] == str(MEMO_PROGRAM):
            yield _from_base58(instruction["data"]).decode(errors="replace")


def _from_base58(text: str) -> bytes:
    number = 0
    for character in text:
        number = number * 58 + _BASE58.index(character)
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _balances(meta: dict[str, Any], accounts: list[str]) -> tuple[TokenBalance, ...]:
    """Accounts that the transaction created have no balance before, closed ones none after."""
    before = {entry["accountIndex"]: entry for entry in meta.get("preTokenBalances") or ()}
    after = {entry["accountIndex"]: entry for entry in meta.get("postTokenBalances") or ()}
    return tuple(
        TokenBalance(
            account=accounts[index],
            owner=entry["owner"],
            mint=entry["mint"],
            before=_amount(before.get(index)),
            after=_amount(after.get(index)),
        )
        for index, entry in sorted((before | after).items())
    )


def _amount(entry: dict[str, Any] | None) -> int:
    return 0 if entry is None else int(entry["uiTokenAmount"]["amount"])


def token_account(address: str, value: Any) -> TokenAccount | None:
    """The token account an account holds; None for anything else, mints included."""
    if value is None or value["owner"] not in _TOKEN_PROGRAMS:
        return None
    data = b64decode(value["data"][0], validate=True)
    extended = len(data) > _TOKEN_ACCOUNT_BYTES and data[_TOKEN_ACCOUNT_BYTES] == _ACCOUNT_TYPE
    if len(data) != _TOKEN_ACCOUNT_BYTES and not extended:
        return None
    if value.get("space") == _MULTISIG_BYTES or data[_STATE] == 0:
        return None
    return TokenAccount(
        address=address,
        owner=str(Pubkey.from_bytes(data[32:64])),
        mint=str(Pubkey.from_bytes(data[:32])),
        amount=int.from_bytes(data[64:72], "little"),
        delegate=str(Pubkey.from_bytes(data[76:108])) if data[72] else None,
        delegated_amount=int.from_bytes(data[121:129], "little"),
    )
