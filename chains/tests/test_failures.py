import pytest

from chains.solana.failures import explain
from chains.solana.programs import (
    ASSOCIATED_TOKEN_PROGRAM,
    COMPUTE_BUDGET_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
)

PROGRAMS = [
    str(COMPUTE_BUDGET_PROGRAM),
    str(ASSOCIATED_TOKEN_PROGRAM),
    str(TOKEN_PROGRAM),
    str(TOKEN_2022_PROGRAM),
    "SomeOtherProgram",
]


@pytest.mark.parametrize(
    ("err", "sentence"),
    [
        (
            {"InstructionError": [2, {"Custom": 1}]},
            "Instruction 3 (SPL Token) failed: insufficient funds.",
        ),
        (
            {"InstructionError": [3, {"Custom": 18}]},
            "Instruction 4 (Token-2022) failed: the decimals do not match the mint.",
        ),
        (
            {"InstructionError": [3, {"Custom": 67}]},
            "Instruction 4 (Token-2022) failed: the mint is paused.",
        ),
        (
            {"InstructionError": [2, {"Custom": 67}]},
            "Instruction 3 (SPL Token) failed: custom program error 0x43.",
        ),
        (
            {"InstructionError": [1, {"Custom": 1}]},
            (
                "Instruction 2 (Associated Token Account program) failed: "
                "insufficient lamports for the rent of the token account."
            ),
        ),
        (
            {"InstructionError": [4, {"Custom": 6005}]},
            "Instruction 5 (SomeOtherProgram) failed: custom program error 0x1775.",
        ),
        (
            {"InstructionError": [9, {"Custom": 1}]},
            "Instruction 10 failed: custom program error 0x1.",
        ),
        (
            {"InstructionError": [2, "InvalidAccountData"]},
            "Instruction 3 (SPL Token) failed: an account holds invalid data.",
        ),
        (
            {"InstructionError": [2, "ExecutableAccountNotRentExempt"]},
            "Instruction 3 (SPL Token) failed: executable account not rent exempt.",
        ),
        (
            {"InstructionError": [2, {"BorshIoError": "Unknown"}]},
            "Instruction 3 (SPL Token) failed: the instruction data could not be read.",
        ),
        ("BlockhashNotFound", "Transaction rejected: the blockhash is unknown or too old."),
        ("InsufficientFundsForFee", "Transaction rejected: the fee payer cannot pay the fee."),
        ("TooManyAccountLocks", "Transaction rejected: too many account locks."),
        (
            {"InsufficientFundsForRent": {"account_index": 2}},
            "Transaction rejected: an account would fall below the rent-exempt minimum.",
        ),
        ({"DuplicateInstruction": 3}, "Transaction rejected: duplicate instruction."),
        ({"a": 1, "b": 2}, "Transaction rejected: {'a': 1, 'b': 2}."),
        ({"InstructionError": "odd"}, "Transaction rejected: instruction error."),
        (17, "Transaction rejected: 17."),
    ],
)
def test_an_error_becomes_a_sentence(err: object, sentence: str) -> None:
    assert explain(err, PROGRAMS) == sentence


def test_a_custom_code_means_nothing_without_its_program() -> None:
    err = {"InstructionError": [0, {"Custom": 1}]}
    assert explain(err) == "Instruction 1 failed: custom program error 0x1."
