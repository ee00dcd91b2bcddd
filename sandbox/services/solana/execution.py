"""Run one transaction on the machine and record what it did."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import orjson
from solders.account import Account
from solders.instruction import CompiledInstruction
from solders.litesvm import LiteSVM
from solders.message import MessageV0, VersionedMessage
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata
from solders.transaction_status import TransactionErrorType, TransactionStatus

from .history import Body, Head
from .programs import COMPUTE_BUDGET, LOOKUP_TABLE, MEMO_PROGRAMS
from .tokens import mint_decimals, token_amount

LOOKUP_TABLE_META = 56  # bytes before the addresses
SET_COMPUTE_UNIT_PRICE = 3


class Executed(NamedTuple):
    """A transaction that landed: its record, the accounts it wrote as they were, and its price."""

    head: Head
    body: Body
    before: list[tuple[Pubkey, Account | None]]
    price: int


class Rejected(NamedTuple):
    """A transaction that cannot land: no fee, no trace. `error` is the RPC's JSON of it."""

    error: Any


class Keys(NamedTuple):
    """All addresses of a transaction in order, and which of them it may write."""

    all: list[Pubkey]
    writable: list[bool]
    loaded: tuple[int, int]


def execute(
    machine: LiteSVM, transaction: VersionedTransaction, raw: bytes, slot: int, time: int
) -> Executed | Rejected:
    """Execute for good; the caller has checked blockhash and duplicates."""
    message = transaction.message
    keys = transaction_keys(machine, message)
    if keys is None:
        return Rejected("AddressLookupTableNotFound")
    before = [machine.get_account(key) for key in keys.all]
    result = machine.send_transaction(transaction)
    after = [
        machine.get_account(key) if writable else account
        for key, writable, account in zip(keys.all, keys.writable, before, strict=True)
    ]
    lamports_before, lamports_after = _lamports(before), _lamports(after)
    error, meta = outcome(result)
    if error is not None and lamports_before[0] == lamports_after[0]:
        return Rejected(error)  # what lands pays its fee, whether it fails or not
    tokens_before, tokens_after = _token_balances(machine, before, after)
    memos, price = _memos_and_price(message.instructions, keys.all)
    head = Head(
        signature=str(transaction.signatures[0]),
        slot=slot,
        time=time,
        error=error,
        memos=memos,
        keys=b"".join(map(bytes, keys.all)),
    )
    body = Body(
        raw=raw,
        fee=meta.fee(),
        units=meta.compute_units_consumed(),
        before=lamports_before,
        after=lamports_after,
        tokens_before=tokens_before,
        tokens_after=tokens_after,
        logs=meta.logs(),
        inner=inner_instructions(meta),
        loaded=keys.loaded,
        return_data=return_data(meta),
    )
    wrote = list(itertools.compress(zip(keys.all, before, strict=True), keys.writable))
    return Executed(head, body, wrote, price)


def outcome(
    result: TransactionMetadata | FailedTransactionMetadata,
) -> tuple[Any, TransactionMetadata]:
    """The error (as the RPC's JSON; None for success) and the metadata of a run."""
    if isinstance(result, FailedTransactionMetadata):
        return error_json(result.err()), result.meta()
    return None, result


def error_json(error: TransactionErrorType) -> Any:
    """A transaction error as the RPC shows it, such as {"InstructionError": [0, {"Custom": 1}]}."""
    status = TransactionStatus(slot=0, confirmations=None, status=None, err=error)
    return orjson.loads(status.to_json())["err"]


def transaction_keys(machine: LiteSVM, message: VersionedMessage) -> Keys | None:
    """The addresses of a message with its lookup tables resolved; None where a table is missing."""
    keys, writable = message.account_keys, writable_flags(message)
    if not isinstance(message, MessageV0) or not message.address_table_lookups:
        return Keys(keys, writable, (0, 0))
    loaded: tuple[list[Pubkey], list[Pubkey]] = ([], [])
    for lookup in message.address_table_lookups:
        table = machine.get_account(lookup.account_key)
        if table is None or table.owner != LOOKUP_TABLE:
            return None
        data = table.data
        indexes = [(loaded[0], index) for index in lookup.writable_indexes]
        indexes += [(loaded[1], index) for index in lookup.readonly_indexes]
        for into, index in indexes:
            start = LOOKUP_TABLE_META + 32 * index
            if start + 32 > len(data):
                return None
            into.append(Pubkey(data[start : start + 32]))
    counts = len(loaded[0]), len(loaded[1])
    return Keys(
        [*keys, *loaded[0], *loaded[1]],
        [*writable, *[True] * counts[0], *[False] * counts[1]],
        counts,
    )


def writable_flags(message: VersionedMessage) -> list[bool]:
    """For each of the message's own addresses, whether the transaction may write it."""
    header, total = message.header, len(message.account_keys)
    signers = header.num_required_signatures
    writable_signers = signers - header.num_readonly_signed_accounts
    writable_others = total - header.num_readonly_unsigned_accounts
    return [i < writable_signers or signers <= i < writable_others for i in range(total)]


def inner_instructions(meta: TransactionMetadata) -> list[list[Any]]:
    """The cross-program calls, grouped by the instruction that made them."""
    return [
        [
            index,
            [
                [call.program_id_index, call.accounts, call.data, inner.stack_height()]
                for inner in group
                for call in (inner.instruction(),)
            ],
        ]
        for index, group in enumerate(meta.inner_instructions())
        if group
    ]


def return_data(meta: TransactionMetadata) -> tuple[bytes, bytes] | None:
    """Program and data of the last non-empty return value."""
    value = meta.return_data()
    return (bytes(value.program_id), value.data) if value.data else None


def _memos_and_price(
    instructions: list[CompiledInstruction], keys: list[Pubkey]
) -> tuple[list[str], int]:
    memos, price = [], 0
    for instruction in instructions:
        program = keys[instruction.program_id_index]
        if program in MEMO_PROGRAMS:
            memos.append(instruction.data.decode(errors="replace"))
        elif program == COMPUTE_BUDGET and instruction.data[0] == SET_COMPUTE_UNIT_PRICE:
            price = int.from_bytes(instruction.data[1:9], "little")
    return memos, price


def _token_balances(
    machine: LiteSVM, before: list[Account | None], after: list[Account | None]
) -> tuple[list[list[Any]], list[list[Any]]]:
    decimals: dict[bytes, int] = {}

    def balance(index: int, account: Account | None) -> list[list[Any]]:
        held = token_amount(account)
        if held is None or account is None:
            return []
        if held.mint not in decimals:
            mint = machine.get_account(Pubkey(held.mint))
            decimals[held.mint] = mint_decimals(mint) or 0
        program = bytes(account.owner)
        return [[index, held.mint, held.owner, program, held.amount, decimals[held.mint]]]

    old: list[list[Any]] = []
    new: list[list[Any]] = []
    for index, (was, is_) in enumerate(zip(before, after, strict=True)):
        balances = balance(index, was)
        old += balances
        new += balances if is_ is was else balance(index, is_)
    return old, new


def _lamports(accounts: list[Account | None]) -> list[int]:
    return [0 if account is None else account.lamports for account in accounts]
