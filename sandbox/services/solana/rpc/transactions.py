"""Sending, simulating and looking up transactions."""

from __future__ import annotations

import itertools
from typing import Any

from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.message import MessageV0, VersionedMessage, from_bytes_versioned
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from ..bank import Bank
from ..chain import STATUS_CACHE_SLOTS, Commitment
from ..encoding import (
    account_json,
    inner_json,
    meta_json,
    return_data_json,
    split_keys,
    transaction_json,
)
from ..execution import inner_instructions, outcome, return_data, transaction_keys
from . import params as read
from .answers import blockhash_json, contextual
from .errors import (
    INVALID_PARAMS,
    PREFLIGHT_FAILURE,
    SIGNATURE_VERIFICATION_FAILURE,
    UNSUPPORTED_TRANSACTION_VERSION,
    RpcError,
    describe,
    invalid_params,
)

STATUSES_LIMIT = 256
ADDRESS_SIGNATURES_LIMIT = 1_000

# Airdrops of one amount to one account within a block would else be one transaction.
_airdrop_numbers = itertools.count()
_AIRDROP_UNITS = 10_000


def send_transaction(bank: Bank, params: list[Any]) -> str:
    options = read.config(params, 1)
    transaction, raw = read.transaction(params, options)
    if not options.get("skipPreflight"):
        _preflight(bank, transaction)
    if not bank.faults.drops():
        bank.submit(transaction, raw)
    return str(transaction.signatures[0])


def simulate_transaction(bank: Bank, params: list[Any]) -> dict[str, Any]:
    options = read.config(params, 1)
    transaction, _ = read.transaction(params, options)
    verify, replace = bool(options.get("sigVerify")), bool(options.get("replaceRecentBlockhash"))
    if verify and replace:
        raise invalid_params("sigVerify may not be used with replaceRecentBlockhash")
    value = _simulate(bank, transaction, options, verify=verify, any_blockhash=replace)
    if verify and value["err"] == "SignatureFailure":
        raise _signature_failure()
    if replace:
        block = bank.chain.at(read.commitment(options))
        value["replacementBlockhash"] = blockhash_json(block)
    return contextual(bank, Commitment.PROCESSED, value)


def get_signature_statuses(bank: Bank, params: list[Any]) -> dict[str, Any]:
    signatures = read.argument(params, 0, list, "signatures")
    if len(signatures) > STATUSES_LIMIT:
        raise invalid_params(f"Too many inputs provided; max {STATUSES_LIMIT}")
    whole_history = bool(read.config(params, 1).get("searchTransactionHistory"))
    history, chain = bank.history, bank.chain
    oldest = 0 if whole_history else chain.root.slot - STATUS_CACHE_SLOTS
    value: list[dict[str, Any] | None] = []
    for signature in signatures:
        number = history.find(signature) if isinstance(signature, str) else None
        if number is None:
            read.signature(signature)
            value.append(None)
            continue
        slot = history.slot(number)
        if slot < oldest:
            value.append(None)
            continue
        error, depth = history.error(number), chain.commitment_of(slot)
        block = chain.block(slot) if depth is not Commitment.FINALIZED else None
        value.append(
            {
                "slot": slot,
                "confirmations": chain.open.height - block.height if block else None,
                "err": error,
                "status": {"Ok": None} if error is None else {"Err": error},
                "confirmationStatus": depth.name.lower(),
            }
        )
    return contextual(bank, Commitment.PROCESSED, value)


def get_transaction(bank: Bank, params: list[Any]) -> dict[str, Any] | None:
    options = params[1] if len(params) > 1 else None
    options = {"encoding": options} if isinstance(options, str) else read.config(params, 1)
    encoding = read.encoding(options, read.TRANSACTION_ENCODINGS, "json")
    level = _at_least_confirmed(options)
    signature = read.argument(params, 0, str, "signature")
    number = bank.history.find(signature)
    if number is None:
        read.signature(signature)
        return None
    if bank.chain.commitment_of(bank.history.slot(number)) < level:
        return None
    head, body = bank.history.read(number)
    versioned = _is_versioned(body.raw)
    supported = options.get("maxSupportedTransactionVersion")
    if versioned and supported is None:
        raise RpcError(
            UNSUPPORTED_TRANSACTION_VERSION,
            "Transaction version (0) is not supported by the requesting client. Please try the "
            "request again with the following configuration parameter: "
            '"maxSupportedTransactionVersion": 0',
        )
    writable, readonly = body.loaded
    loaded = split_keys(head.keys[len(head.keys) - 32 * (writable + readonly) :])
    answer = {
        "slot": head.slot,
        "blockTime": head.time,
        "meta": meta_json(head, body, encoding),
        "transaction": transaction_json(body.raw, encoding, loaded, writable),
    }
    return answer if supported is None else answer | {"version": 0 if versioned else "legacy"}


def get_signatures_for_address(bank: Bank, params: list[Any]) -> list[dict[str, Any]]:
    address = read.pubkey(read.argument(params, 0, str, "address"))
    options = read.config(params, 1)
    level, limit = _at_least_confirmed(options), options.get("limit")
    limit = ADDRESS_SIGNATURES_LIMIT if limit is None else limit
    if not isinstance(limit, int) or not 1 <= limit <= ADDRESS_SIGNATURES_LIMIT:
        raise invalid_params(f"Invalid limit; max {ADDRESS_SIGNATURES_LIMIT}")
    history, newest = bank.history, bank.chain.at(level).slot
    before, until = _bound(bank, options, "before"), _bound(bank, options, "until")
    found: list[dict[str, Any]] = []
    for number in reversed(history.of_address(bytes(address))):
        if until is not None and number <= until:
            break
        if history.slot(number) > newest or (before is not None and number >= before):
            continue
        head = history.head(number)
        depth = bank.chain.commitment_of(head.slot)
        found.append(
            {
                "signature": head.signature,
                "slot": head.slot,
                "err": head.error,
                "memo": "; ".join(f"[{len(m.encode())}] {m}" for m in head.memos) or None,
                "blockTime": head.time,
                "confirmationStatus": depth.name.lower(),
            }
        )
        if len(found) == limit:
            break
    return found


def request_airdrop(bank: Bank, params: list[Any]) -> str:
    to = read.pubkey(read.argument(params, 0, str, "pubkey"))
    lamports = read.argument(params, 1, int, "lamports")
    faucet = bank.faucet
    instructions = [
        set_compute_unit_limit(_AIRDROP_UNITS + next(_airdrop_numbers) % 1_000_000),
        transfer(TransferParams(from_pubkey=faucet.pubkey(), to_pubkey=to, lamports=lamports)),
    ]
    blockhash = Hash.from_string(bank.chain.open.hash)
    message = MessageV0.try_compile(faucet.pubkey(), instructions, [], blockhash)
    transaction = VersionedTransaction(message, [faucet])
    value = _simulate(bank, transaction, {}, verify=False)
    if value["err"] is not None:
        raise RpcError(INVALID_PARAMS, f"airdrop request failed: {describe(value['err'])}")
    bank.submit(transaction, bytes(transaction))
    return str(transaction.signatures[0])


def get_fee_for_message(bank: Bank, params: list[Any]) -> dict[str, Any]:
    raw = read.wire_bytes(read.argument(params, 0, str, "message"), "base64", "message")
    level = read.view(bank, read.config(params, 1))
    try:
        message = from_bytes_versioned(raw)
    except Exception as error:
        raise invalid_params(f"failed to deserialize message: {error}") from None
    valid = bank.chain.is_valid(str(message.recent_blockhash), bank.chain.at(level))
    return contextual(bank, level, _fee(bank, message) if valid else None)


def _preflight(bank: Bank, transaction: VersionedTransaction) -> None:
    value = _simulate(bank, transaction, {}, verify=True)
    if value["err"] == "SignatureFailure":
        raise _signature_failure()
    if value["err"] is not None:
        message = f"Transaction simulation failed: {describe(value['err'])}"
        raise RpcError(PREFLIGHT_FAILURE, message, value)


def _simulate(
    bank: Bank,
    transaction: VersionedTransaction,
    options: dict[str, Any],
    *,
    verify: bool,
    any_blockhash: bool = False,
) -> dict[str, Any]:
    refusal = bank.refusal(transaction)
    if refusal is not None and not (any_blockhash and refusal == "BlockhashNotFound"):
        return _simulation(err=refusal)
    machine = bank.machine
    machine.with_sigverify(verify)
    result = machine.simulate_transaction(transaction)
    machine.with_sigverify(True)
    if isinstance(result, FailedTransactionMetadata):
        error, meta = outcome(result)
        post = {}
    else:
        error, meta = None, result.meta()
        post = dict(result.post_accounts())
    value = _simulation(err=error) | {
        "logs": meta.logs(),
        "unitsConsumed": meta.compute_units_consumed(),
        "returnData": return_data_json(return_data(meta)),
    }
    if options.get("innerInstructions"):
        keys = transaction_keys(machine, transaction.message)
        names = [str(key) for key in keys.all] if keys else []
        value["innerInstructions"] = inner_json(inner_instructions(meta), names, parsed=True)
    wanted = options.get("accounts")
    if isinstance(wanted, dict):
        encoding = read.encoding(wanted, read.ACCOUNT_ENCODINGS, "base64")
        addresses = [read.pubkey(text) for text in wanted.get("addresses", [])]
        value["accounts"] = [
            None if shown is None else account_json(shown, encoding, None, machine.get_account)
            for key in addresses
            for shown in (post.get(key) or machine.get_account(key),)
        ]
    return value


def _simulation(err: Any) -> dict[str, Any]:
    return {
        "err": err,
        "logs": [],
        "accounts": None,
        "unitsConsumed": 0,
        "returnData": None,
        "innerInstructions": None,
    }


def _fee(bank: Bank, message: VersionedMessage) -> int:
    signatures = [Signature.default()] * message.header.num_required_signatures
    unsigned = VersionedTransaction.populate(message, signatures)
    bank.machine.with_sigverify(False)
    result = bank.machine.simulate_transaction(unsigned)
    bank.machine.with_sigverify(True)
    return result.meta().fee()


def _signature_failure() -> RpcError:
    return RpcError(SIGNATURE_VERIFICATION_FAILURE, "Transaction signature verification failure")


def _at_least_confirmed(options: dict[str, Any]) -> Commitment:
    level = read.commitment(options)
    if level is Commitment.PROCESSED:
        raise invalid_params("Method does not support commitment below `confirmed`")
    return level


def _bound(bank: Bank, options: dict[str, Any], name: str) -> int | None:
    if options.get(name) is None:
        return None
    return bank.history.find(read.signature(options[name]))


def _is_versioned(raw: bytes) -> bool:
    # Signatures are at most 19 in a packet, so their count is one byte; the message follows them,
    # and only a versioned one has its first bit set.
    return bool(raw[1 + 64 * raw[0]] & 0x80)


METHODS = {
    "sendTransaction": send_transaction,
    "simulateTransaction": simulate_transaction,
    "getSignatureStatuses": get_signature_statuses,
    "getTransaction": get_transaction,
    "getSignaturesForAddress": get_signatures_for_address,
    "requestAirdrop": request_airdrop,
    "getFeeForMessage": get_fee_for_message,
}
