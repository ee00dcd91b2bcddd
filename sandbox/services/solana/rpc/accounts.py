"""Reading accounts and tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from ..bank import Bank
from ..chain import Commitment
from ..encoding import EncodingError, account_json
from ..programs import TOKEN, TOKEN_2022
from ..tokens import mint_decimals, mint_supply, token_amount, ui_amount
from . import params as read
from .answers import contextual
from .errors import INVALID_REQUEST, RpcError, invalid_params

MULTIPLE_ACCOUNTS_LIMIT = 100
FILTERS_LIMIT = 4

Filter = Callable[[Account], bool]


def get_account_info(bank: Bank, params: list[Any]) -> dict[str, Any]:
    address = read.pubkey(read.argument(params, 0, str, "pubkey"))
    options = read.config(params, 1)
    level = read.view(bank, options)
    account = bank.account(address, level)
    return contextual(bank, level, shown(bank, level, options, account))


def get_multiple_accounts(bank: Bank, params: list[Any]) -> dict[str, Any]:
    addresses = read.argument(params, 0, list, "pubkeys")
    if len(addresses) > MULTIPLE_ACCOUNTS_LIMIT:
        raise invalid_params(f"Too many inputs provided; max {MULTIPLE_ACCOUNTS_LIMIT}")
    options = read.config(params, 1)
    level = read.view(bank, options)
    accounts = [bank.account(read.pubkey(text), level) for text in addresses]
    value = [shown(bank, level, options, account, "base64") for account in accounts]
    return contextual(bank, level, value)


def get_balance(bank: Bank, params: list[Any]) -> dict[str, Any]:
    address = read.pubkey(read.argument(params, 0, str, "pubkey"))
    level = read.view(bank, read.config(params, 1))
    account = bank.account(address, level)
    return contextual(bank, level, account.lamports if account else 0)


def get_program_accounts(bank: Bank, params: list[Any]) -> Any:
    program = read.pubkey(read.argument(params, 0, str, "pubkey"))
    options = read.config(params, 1)
    level = read.view(bank, options)
    tests = filters(options)
    value = _listed(bank, level, options, program, lambda a: all(test(a) for test in tests))
    return contextual(bank, level, value) if options.get("withContext") else value


def get_token_accounts_by_owner(bank: Bank, params: list[Any]) -> dict[str, Any]:
    owner = bytes(read.pubkey(read.argument(params, 0, str, "pubkey")))
    by = read.argument(params, 1, dict, "filter")
    options = read.config(params, 2)
    level = read.view(bank, options)
    if "mint" in by:
        address = read.pubkey(by["mint"])
        account, mint = bank.account(address, level), bytes(address)
        if account is None or mint_decimals(account) is None:
            raise invalid_params("Invalid param: could not find mint")
        program = account.owner
    else:
        program, mint = read.pubkey(by.get("programId")), None
        if program not in (TOKEN, TOKEN_2022):
            raise invalid_params("Invalid param: unrecognized Token program id")

    def belongs(account: Account) -> bool:
        held = token_amount(account)
        return held is not None and held.owner == owner and mint in (None, held.mint)

    return contextual(bank, level, _listed(bank, level, options, program, belongs))


def get_token_account_balance(bank: Bank, params: list[Any]) -> dict[str, Any]:
    address = read.pubkey(read.argument(params, 0, str, "pubkey"))
    level = read.view(bank, read.config(params, 1))
    account = bank.account(address, level)
    if account is None:
        raise invalid_params("Invalid param: could not find account")
    held = token_amount(account)
    if held is None:
        raise invalid_params("Invalid param: not a Token account")
    decimals = mint_decimals(bank.account(Pubkey.from_bytes(held.mint), level))
    if decimals is None:
        raise invalid_params("Invalid param: could not find mint")
    return contextual(bank, level, ui_amount(held.amount, decimals))


def get_token_supply(bank: Bank, params: list[Any]) -> dict[str, Any]:
    address = read.pubkey(read.argument(params, 0, str, "pubkey"))
    level = read.view(bank, read.config(params, 1))
    account = bank.account(address, level)
    supply, decimals = mint_supply(account), mint_decimals(account)
    if supply is None or decimals is None:
        raise invalid_params("Invalid param: not a Token mint")
    return contextual(bank, level, ui_amount(supply, decimals))


def get_minimum_balance(bank: Bank, params: list[Any]) -> int:
    size = read.argument(params, 0, int, "size")
    if size < 0:
        raise invalid_params("Invalid params: size is not negative.")
    return bank.machine.minimum_balance_for_rent_exemption(size)


def filters(options: dict[str, Any]) -> list[Filter]:
    """The tests that the `filters` of a program query put to its accounts."""
    wanted = options.get("filters") or []
    if len(wanted) > FILTERS_LIMIT:
        raise invalid_params(f"Too many filters provided; max {FILTERS_LIMIT}")
    return [_filter(entry) for entry in wanted]


def shown(
    bank: Bank,
    level: Commitment,
    options: dict[str, Any],
    account: Account | None,
    default: str = "binary",
) -> dict[str, Any] | None:
    """An account as the configuration asks for it; None where there is none."""
    if account is None:
        return None
    encoding = read.encoding(options, read.ACCOUNT_ENCODINGS, default)
    try:
        return account_json(
            account, encoding, read.window(options), lambda key: bank.account(key, level)
        )
    except EncodingError as error:
        raise RpcError(INVALID_REQUEST, str(error)) from None


def _listed(
    bank: Bank, level: Commitment, options: dict[str, Any], program: Pubkey, test: Filter
) -> list[dict[str, Any]]:
    return [
        {"pubkey": str(address), "account": shown(bank, level, options, account)}
        for address, account in bank.accounts_of(program, level)
        if test(account)
    ]


def _filter(entry: Any) -> Filter:
    match entry:
        case {"dataSize": int(size)}:
            return lambda account: len(account.data) == size
        case {"memcmp": {"offset": int(offset), "bytes": str(text), **rest}}:
            wanted = read.decoded(text, str(rest.get("encoding", "base58")))
            return lambda account: account.data[offset : offset + len(wanted)] == wanted
        case "tokenAccountState":
            return lambda account: token_amount(account) is not None
    raise invalid_params(f"Invalid params: unknown filter {entry}.")


METHODS = {
    "getAccountInfo": get_account_info,
    "getMultipleAccounts": get_multiple_accounts,
    "getBalance": get_balance,
    "getProgramAccounts": get_program_accounts,
    "getTokenAccountsByOwner": get_token_accounts_by_owner,
    "getTokenAccountBalance": get_token_account_balance,
    "getTokenSupply": get_token_supply,
    "getMinimumBalanceForRentExemption": get_minimum_balance,
}
