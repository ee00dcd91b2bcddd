"""Token accounts and mints as they lie in account data (SPL Token and Token-2022)."""

from __future__ import annotations

from typing import Any, NamedTuple

from solders.account import Account
from solders.pubkey import Pubkey

from .programs import TOKEN, TOKEN_2022

MINT_SIZE = 82
ACCOUNT_SIZE = 165
ACCOUNT_TYPE_OFFSET = (
    165  # Token-2022 extensions follow a byte that says 1 for a mint, 2 an account
)
PROGRAM_NAMES = {TOKEN: "spl-token", TOKEN_2022: "spl-token-2022"}
STATES = ("uninitialized", "initialized", "frozen")


class TokenAmount(NamedTuple):
    """What a token account holds: base units of `mint` for `owner`."""

    mint: bytes
    owner: bytes
    amount: int


def token_amount(account: Account | None) -> TokenAmount | None:
    """The holding of an initialized token account; None for any other account."""
    data = _token_account_data(account)
    if data is None:
        return None
    return TokenAmount(data[:32], data[32:64], int.from_bytes(data[64:72], "little"))


def mint_decimals(account: Account | None) -> int | None:
    """The decimals of an initialized mint; None for any other account."""
    data = _mint_data(account)
    return None if data is None else data[44]


def mint_supply(account: Account | None) -> int | None:
    """The supply of an initialized mint in base units; None for any other account."""
    data = _mint_data(account)
    return None if data is None else int.from_bytes(data[36:44], "little")


def ui_amount(amount: int, decimals: int) -> dict[str, Any]:
    """The UiTokenAmount of the RPC protocol."""
    text = str(amount).rjust(decimals + 1, "0")
    whole, fraction = text[: len(text) - decimals], text[len(text) - decimals :].rstrip("0")
    return {
        "amount": str(amount),
        "decimals": decimals,
        "uiAmount": amount / 10**decimals,
        "uiAmountString": f"{whole}.{fraction}" if fraction else whole,
    }


def parse_token_account(account: Account | None, decimals: int) -> dict[str, Any] | None:
    """The jsonParsed form of a token account; None for any other account."""
    data = _token_account_data(account)
    if data is None:
        return None
    info: dict[str, Any] = {
        "isNative": _flag(data, 109),
        "mint": _key(data, 0),
        "owner": _key(data, 32),
        "state": STATES[data[108]],
        "tokenAmount": ui_amount(int.from_bytes(data[64:72], "little"), decimals),
    }
    if _flag(data, 72):
        info["delegate"] = _key(data, 76)
        info["delegatedAmount"] = ui_amount(int.from_bytes(data[121:129], "little"), decimals)
    if _flag(data, 129):
        info["closeAuthority"] = _key(data, 133)
    return {"type": "account", "info": info}


def parse_mint(account: Account | None) -> dict[str, Any] | None:
    """The jsonParsed form of a mint; None for any other account."""
    data = _mint_data(account)
    if data is None:
        return None
    return {
        "type": "mint",
        "info": {
            "decimals": data[44],
            "freezeAuthority": _key(data, 50) if _flag(data, 46) else None,
            "isInitialized": True,
            "mintAuthority": _key(data, 4) if _flag(data, 0) else None,
            "supply": str(int.from_bytes(data[36:44], "little")),
        },
    }


def _token_account_data(account: Account | None) -> bytes | None:
    if account is None or account.owner not in PROGRAM_NAMES:
        return None
    data = account.data
    if len(data) < ACCOUNT_SIZE or data[108] == 0:
        return None
    return data if len(data) == ACCOUNT_SIZE or data[ACCOUNT_TYPE_OFFSET] == 2 else None


def _mint_data(account: Account | None) -> bytes | None:
    if account is None or account.owner not in PROGRAM_NAMES:
        return None
    data = account.data
    if len(data) < MINT_SIZE or data[45] == 0:
        return None
    extended = len(data) > ACCOUNT_TYPE_OFFSET and data[ACCOUNT_TYPE_OFFSET] == 1
    return data if len(data) == MINT_SIZE or extended else None


def _flag(data: bytes, offset: int) -> bool:
    return data[offset] == 1


def _key(data: bytes, offset: int) -> str:
    return str(Pubkey.from_bytes(data[offset : offset + 32]))
