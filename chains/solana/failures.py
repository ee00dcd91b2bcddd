"""Why a Solana transaction failed, in words."""

import re
from collections.abc import Sequence

from chains.errors import outside_text
from chains.solana.programs import (
    ASSOCIATED_TOKEN_PROGRAM,
    COMPUTE_BUDGET_PROGRAM,
    MEMO_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
)

_PROGRAM_NAMES = {
    str(SYSTEM_PROGRAM): "System program",
    str(COMPUTE_BUDGET_PROGRAM): "Compute Budget program",
    str(TOKEN_PROGRAM): "SPL Token",
    str(TOKEN_2022_PROGRAM): "Token-2022",
    str(ASSOCIATED_TOKEN_PROGRAM): "Associated Token Account program",
    str(MEMO_PROGRAM): "Memo program",
}

_TOKEN_ERRORS = {
    0: "the account would not be rent exempt",
    1: "insufficient funds",
    2: "invalid mint",
    3: "the account belongs to another mint",
    4: "the owner does not match",
    5: "the supply is fixed",
    6: "the account is already in use",
    7: "invalid number of provided signers",
    8: "invalid number of required signers",
    9: "the account is not initialized",
    10: "the instruction does not support native tokens",
    11: "a non-native account can only be closed when it is empty",
    12: "invalid instruction",
    13: "the account is in an invalid state for this operation",
    14: "arithmetic overflow",
    15: "the account does not support this authority type",
    16: "the mint cannot freeze accounts",
    17: "the account is frozen",
    18: "the decimals do not match the mint",
    19: "the instruction does not support non-native tokens",
}

_CUSTOM_ERRORS = {
    str(TOKEN_PROGRAM): _TOKEN_ERRORS,
    str(TOKEN_2022_PROGRAM): _TOKEN_ERRORS
    | {
        36: "a memo is required before this transfer",
        37: "the token cannot be transferred",
        67: "the mint is paused",
    },
    str(ASSOCIATED_TOKEN_PROGRAM): {
        0: "the token account belongs to another owner",
        1: "insufficient lamports for the rent of the token account",  # from the system program
    },
    str(SYSTEM_PROGRAM): {
        0: "the account already exists",
        1: "insufficient lamports",
    },
}

_TRANSACTION_ERRORS = {
    "AccountInUse": "an account is in use by another transaction",
    "AccountNotFound": "the fee payer holds no lamports",
    "AlreadyProcessed": "the transaction was already processed",
    "BlockhashNotFound": "the blockhash is unknown or too old",
    "InsufficientFundsForFee": "the fee payer cannot pay the fee",
    "InsufficientFundsForRent": "an account would fall below the rent-exempt minimum",
    "InvalidAccountForFee": "the fee payer cannot pay fees",
    "MaxLoadedAccountsDataSizeExceeded": "the transaction loads too much account data",
    "ProgramAccountNotFound": "the transaction calls a program that does not exist",
    "SignatureFailure": "a signature is invalid",
    "WouldExceedMaxBlockCostLimit": "the block is full",
}

_INSTRUCTION_ERRORS = {
    "ComputationalBudgetExceeded": "the compute budget is exceeded",
    "IncorrectProgramId": "an account belongs to the wrong program",
    "InsufficientFunds": "insufficient funds",
    "InvalidAccountData": "an account holds invalid data",
    "InvalidAccountOwner": "an account has the wrong owner",
    "MissingRequiredSignature": "a required signature is missing",
    "ProgramFailedToComplete": "the program did not complete",
    "UninitializedAccount": "an account is not initialized",
}


def explain(err: object, programs: Sequence[str] = ()) -> str:
    """A sentence for a transaction's `err`.

    Args:
        err: the error as a status, a transaction or a simulation holds it.
        programs: the program id of each instruction; custom codes mean nothing without.
    """
    match err:
        case {"InstructionError": [int(index), detail]}:
            program = programs[index] if 0 <= index < len(programs) else ""
            name = _PROGRAM_NAMES.get(program, program)
            where = f"Instruction {index + 1}" + (f" ({name})" if name else "")
            return f"{where} failed: {_instruction_error(detail, program)}."
        case str(name):
            return f"Transaction rejected: {_TRANSACTION_ERRORS.get(name) or _words(name)}."
        case {**fields} if len(fields) == 1:
            name = str(next(iter(fields)))
            return f"Transaction rejected: {_TRANSACTION_ERRORS.get(name) or _words(name)}."
    return f"Transaction rejected: {outside_text(err)}."


def _instruction_error(detail: object, program: str) -> str:
    match detail:
        case {"Custom": int(code)}:
            meaning = _CUSTOM_ERRORS.get(program, {}).get(code)
            return meaning or f"custom program error {code:#x}"
        case {"BorshIoError": _}:
            return "the instruction data could not be read"
        case str(name):
            return _INSTRUCTION_ERRORS.get(name) or _words(name)
    return outside_text(detail)


def _words(name: str) -> str:
    """`CamelCase` names the tables do not know, as lower-case words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", outside_text(name)).lower()
