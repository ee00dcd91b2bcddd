"""The RPC's JSON of accounts and transactions."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.message import MessageV0, VersionedMessage
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from . import base58
from .execution import writable_flags
from .history import Body, Head
from .programs import MEMO_PROGRAMS
from .tokens import (
    PROGRAM_NAMES,
    mint_decimals,
    parse_mint,
    parse_token_account,
    token_amount,
    ui_amount,
)

BASE58_LIMIT = 128
"""Agave encodes no account data longer than this as base58."""

Lookup = Callable[[Pubkey], Account | None]


class EncodingError(Exception):
    """The data cannot be shown in the encoding that was asked for; the message says why."""


def account_json(
    account: Account,
    encoding: str,
    window: tuple[int, int] | None = None,
    lookup: Lookup = lambda _: None,
) -> dict[str, Any]:
    """An account; `window` is offset and length of the part of its data to show.

    `lookup` finds the mint of a token account for jsonParsed.

    Raises:
        EncodingError: the data is too long for base58.
    """
    return {
        "data": _account_data(account, encoding, window, lookup),
        "executable": account.executable,
        "lamports": account.lamports,
        "owner": str(account.owner),
        "rentEpoch": account.rent_epoch,
        "space": len(account.data),
    }


def transaction_json(raw: bytes, encoding: str, loaded: list[str], writable: int) -> Any:
    """The transaction; `loaded` are its addresses from lookup tables, the first `writable` so."""
    if encoding == "base64":
        return [base64.b64encode(raw).decode(), "base64"]
    if encoding == "base58":
        return [base58.encode(raw), "base58"]
    transaction = VersionedTransaction.from_bytes(raw)
    message = transaction.message
    keys = [str(key) for key in message.account_keys]
    parsed = encoding == "jsonParsed"
    body: dict[str, Any] = {
        "accountKeys": _parsed_keys(message, keys, loaded, writable) if parsed else keys,
        "recentBlockhash": str(message.recent_blockhash),
    }
    if parsed:
        body["instructions"] = [
            parsed_instruction(keys + loaded, i.program_id_index, i.accounts, i.data, 1)
            for i in message.instructions
        ]
    else:
        header = message.header
        body["header"] = {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        }
        body["instructions"] = [
            compiled_instruction(i.program_id_index, i.accounts, i.data, 1)
            for i in message.instructions
        ]
    if isinstance(message, MessageV0):
        body["addressTableLookups"] = [
            {
                "accountKey": str(lookup.account_key),
                "writableIndexes": list(lookup.writable_indexes),
                "readonlyIndexes": list(lookup.readonly_indexes),
            }
            for lookup in message.address_table_lookups
        ]
    return {"signatures": [str(s) for s in transaction.signatures], "message": body}


def meta_json(head: Head, body: Body, encoding: str) -> dict[str, Any]:
    """The effects of a transaction that landed."""
    keys = split_keys(head.keys)
    writable, readonly = body.loaded
    loaded = keys[len(keys) - writable - readonly :]
    return {
        "err": head.error,
        "status": {"Ok": None} if head.error is None else {"Err": head.error},
        "fee": body.fee,
        "preBalances": body.before,
        "postBalances": body.after,
        "preTokenBalances": [token_balance(*balance) for balance in body.tokens_before],
        "postTokenBalances": [token_balance(*balance) for balance in body.tokens_after],
        "logMessages": body.logs,
        "innerInstructions": inner_json(body.inner, keys, encoding == "jsonParsed"),
        "computeUnitsConsumed": body.units,
        "loadedAddresses": {"writable": loaded[:writable], "readonly": loaded[writable:]},
        "rewards": [],
    } | ({"returnData": return_data_json(body.return_data)} if body.return_data else {})


def inner_json(inner: list[list[Any]], keys: list[str], parsed: bool) -> list[dict[str, Any]]:
    """The cross-program calls of a transaction."""
    return [
        {
            "index": index,
            "instructions": [
                parsed_instruction(keys, *call) if parsed else compiled_instruction(*call)
                for call in calls
            ],
        }
        for index, calls in inner
    ]


def compiled_instruction(
    program: int, accounts: bytes, data: bytes, height: int | None
) -> dict[str, Any]:
    """An instruction by account indexes."""
    return {
        "programIdIndex": program,
        "accounts": list(accounts),
        "data": base58.encode(data),
        "stackHeight": height,
    }


def parsed_instruction(
    keys: list[str], program: int, accounts: bytes, data: bytes, height: int | None
) -> dict[str, Any]:
    """An instruction by addresses; a memo as its text."""
    program_id = keys[program]
    if Pubkey.from_string(program_id) in MEMO_PROGRAMS:
        memo = data.decode(errors="replace")
        return {
            "program": "spl-memo",
            "programId": program_id,
            "parsed": memo,
            "stackHeight": height,
        }
    return {
        "programId": program_id,
        "accounts": [keys[index] for index in accounts],
        "data": base58.encode(data),
        "stackHeight": height,
    }


def return_data_json(value: tuple[bytes, bytes] | None) -> dict[str, Any] | None:
    """A program's return value."""
    if value is None:
        return None
    program, data = value
    return {
        "programId": str(Pubkey.from_bytes(program)),
        "data": [base64.b64encode(data).decode(), "base64"],
    }


def token_balance(
    index: int, mint: bytes, owner: bytes, program: bytes, amount: int, decimals: int
) -> dict[str, Any]:
    """What a token account held before or after a transaction."""
    return {
        "accountIndex": index,
        "mint": str(Pubkey.from_bytes(mint)),
        "owner": str(Pubkey.from_bytes(owner)),
        "programId": str(Pubkey.from_bytes(program)),
        "uiTokenAmount": ui_amount(amount, decimals),
    }


def split_keys(keys: bytes) -> list[str]:
    """The base58 addresses of concatenated keys."""
    return [str(Pubkey.from_bytes(keys[at : at + 32])) for at in range(0, len(keys), 32)]


def _account_data(
    account: Account, encoding: str, window: tuple[int, int] | None, lookup: Lookup
) -> Any:
    data = account.data
    if encoding == "jsonParsed":
        parsed = _parsed_account(account, lookup)
        if parsed is not None:
            return {"program": PROGRAM_NAMES[account.owner], "parsed": parsed, "space": len(data)}
        encoding = "base64"
    if window is not None:
        data = data[window[0] : window[0] + window[1]]
    if encoding == "base64":
        return [base64.b64encode(data).decode(), "base64"]
    if len(data) > BASE58_LIMIT:
        raise EncodingError(
            "Encoded binary (base 58) data should be less than 128 bytes, "
            "please use Base64 encoding."
        )
    text = base58.encode(data)
    return text if encoding == "binary" else [text, "base58"]


def _parsed_account(account: Account, lookup: Lookup) -> dict[str, Any] | None:
    held = token_amount(account)
    if held is None:
        return parse_mint(account)
    decimals = mint_decimals(lookup(Pubkey.from_bytes(held.mint)))
    return None if decimals is None else parse_token_account(account, decimals)


def _parsed_keys(
    message: VersionedMessage, keys: list[str], loaded: list[str], writable: int
) -> list[dict[str, Any]]:
    flags, signers = writable_flags(message), message.header.num_required_signatures
    static = [
        {"pubkey": key, "signer": i < signers, "writable": flags[i], "source": "transaction"}
        for i, key in enumerate(keys)
    ]
    return static + [
        {"pubkey": key, "signer": False, "writable": i < writable, "source": "lookupTable"}
        for i, key in enumerate(loaded)
    ]
