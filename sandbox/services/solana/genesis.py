"""The world before the first block: programs, sysvars, accounts and the faucet."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from pathlib import Path

import orjson
from solders.account import Account
from solders.epoch_schedule import EpochSchedule
from solders.hash import Hash
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from .ledger import Image
from .programs import SYSTEM, TOKEN, WRAPPED_SOL
from .tokens import MINT_SIZE

LAMPORTS_PER_SOL = 1_000_000_000
FAUCET_LAMPORTS = 500_000_000 * LAMPORTS_PER_SOL

SLOTS_PER_EPOCH = 8_192
"""Short, as in a test validator, so that leader schedules stay small."""

EPOCHS = EpochSchedule.custom(SLOTS_PER_EPOCH, SLOTS_PER_EPOCH, False)


class GenesisError(Exception):
    """The genesis file or the programs folder cannot be loaded; the message says why."""


def new_machine(programs: Path | None) -> LiteSVM:
    """A runtime with the standard programs and those of the folder, named `<program id>.so`.

    Blockhashes and duplicates are the chain's business: a blockhash lives 150 blocks, where
    LiteSVM knows only its latest.

    Raises:
        GenesisError: a file of the folder is not named after a program id, or not loadable.
    """
    machine = LiteSVM().with_blockhash_check(False).with_transaction_history(0)
    machine.set_epoch_schedule(EPOCHS)
    for path in sorted(programs.glob("*.so")) if programs else ():
        try:
            machine.add_program(Pubkey.from_string(path.stem), path.read_bytes())
        except Exception as error:
            raise GenesisError(f"cannot deploy {path}: {error}") from error
    return machine


def load_accounts(path: Path) -> list[Image]:
    """The accounts of a genesis file, and the wrapped-SOL mint, which LiteSVM lacks.

    Raises:
        GenesisError: the file is missing or not of the documented form.
    """
    try:
        entries = orjson.loads(path.read_bytes())["accounts"]
        images = [_image(entry) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, binascii.Error) as error:
        raise GenesisError(f"cannot load the genesis file {path}: {error!r}") from error
    return [wrapped_sol_mint(), *images]


def new_genesis_hash() -> str:
    """The identity of a new chain: two ledgers are never the same chain."""
    return str(Hash(os.urandom(32)))


def faucet(genesis_hash: str) -> Keypair:
    """The keypair whose account pays the airdrops of this chain."""
    return Keypair.from_seed(hashlib.sha256(f"faucet {genesis_hash}".encode()).digest())


def faucet_image(genesis_hash: str) -> Image:
    """The faucet's account at the start of the chain."""
    key = bytes(faucet(genesis_hash).pubkey())
    return key, FAUCET_LAMPORTS, b"", bytes(SYSTEM), False, 0


def wrapped_sol_mint() -> Image:
    """The native mint: nine decimals and no authority."""
    data = bytearray(MINT_SIZE)
    data[44], data[45] = 9, 1  # decimals, initialized
    return bytes(WRAPPED_SOL), LAMPORTS_PER_SOL, bytes(data), bytes(TOKEN), False, 0


def restore(machine: LiteSVM, images: list[Image]) -> None:
    """Write the accounts, executables last: those need their program data in place."""
    for address, lamports, data, owner, executable, rent_epoch in sorted(
        images, key=lambda image: image[4]
    ):
        account = Account(lamports, data, Pubkey(owner), executable, rent_epoch)
        machine.set_account(Pubkey(address), account)


def _image(entry: dict[str, object]) -> Image:
    lamports, executable = entry["lamports"], entry.get("executable", False)
    if not isinstance(lamports, int) or not isinstance(executable, bool):
        raise TypeError("lamports is an integer and executable a boolean")
    return (
        bytes(Pubkey.from_string(str(entry["address"]))),
        lamports,
        base64.b64decode(str(entry["data"]), validate=True),
        bytes(Pubkey.from_string(str(entry["owner"]))),
        executable,
        0,
    )
