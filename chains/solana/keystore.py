"""Wallet keys from a folder of Solana CLI keypair files."""

import logging
import os
import stat
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import orjson
from solders.keypair import Keypair

from chains.errors import Definitive

logger = logging.getLogger(__name__)

_SECRET_BYTES = 64
_SETTLED_NS = 1_000_000_000  # coarser than any file system's time stamps


class KeyStore:
    """Signs for the wallets whose keys lie in a folder, one `*.json` file each.

    The files are named freely: a wallet's address comes from its key. Files that appear later
    are found when an unknown wallet is asked for. No method gives a secret away.
    """

    def __init__(self, folder: Path) -> None:
        """Files that are unsafe or hold no key are logged and passed over: one of them must not
        stop the orders of all other wallets.

        Raises:
            Definitive: the folder cannot be read.
        """
        self._folder = folder
        self._keys: dict[str, Keypair] = {}
        self._labels: dict[str, str] = {}
        self._loaded: set[Path] = set()
        self._seen: int | None = None
        self._lock = threading.Lock()
        if not os.access(folder, os.R_OK | os.X_OK) or not folder.is_dir():
            raise Definitive(f"the wallet folder {folder} cannot be read")
        self._rescan()

    def __repr__(self) -> str:
        return f"<KeyStore: {len(self._keys)} wallets>"

    def labels(self) -> Mapping[str, str]:
        return dict(self._labels)

    def has(self, address: str) -> bool:
        if address in self._keys:
            return True
        self._rescan()
        return address in self._keys

    def sign(self, address: str, message: bytes) -> bytes:
        if not self.has(address):
            raise Definitive(f"no key is held for wallet {address:.44}")
        return bytes(self._keys[address].sign_message(message))

    def _rescan(self) -> None:
        for problem in self._scan():
            logger.warning("wallet_key_refused", extra={"problem": problem})

    def _scan(self) -> list[str]:
        """Load the files that were not loaded yet; returns what is wrong with the others."""
        with self._lock:
            try:
                changed = self._folder.stat().st_mtime_ns
                if changed == self._seen:
                    return []
                files = sorted(f for f in self._folder.iterdir() if f.suffix == ".json")
            except OSError as error:
                return [f"the wallet folder {self._folder} cannot be read: {error.strerror}"]
            refused = (self._load(file) for file in files if file not in self._loaded)
            problems = [problem for problem in refused if problem]
            # A refused file may be mended in place, which does not touch the folder; and a clock
            # tick may hold two changes, of which this listing saw the first.
            settled = time.time_ns() - changed > _SETTLED_NS
            self._seen = changed if settled and not problems else None
            return problems

    def _load(self, path: Path) -> str | None:
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                if mode & (stat.S_IRWXG | stat.S_IRWXO):
                    return f"{path} is open to other users (mode {mode & 0o777:o}): chmod 600 it"
                content = file.read()
        except OSError as error:
            return f"{path} cannot be read: {error.strerror}"
        keypair = _keypair(content)
        if keypair is None:
            return f"{path} holds no Solana keypair"
        address = str(keypair.pubkey())
        self._keys[address] = keypair
        self._labels[address] = path.stem
        self._loaded.add(path)
        return None


def _keypair(content: bytes) -> Keypair | None:
    """The key, or None: an exception would carry the secret in its traceback."""
    try:
        numbers = orjson.loads(content)
        if isinstance(numbers, list) and len(numbers) == _SECRET_BYTES:
            return Keypair.from_bytes(bytes(numbers))
    except (ValueError, TypeError):
        pass
    return None
