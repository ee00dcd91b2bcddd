"""A node of their own for the tests of the Solana node, and transactions to send to it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
from solana.rpc.async_api import AsyncClient
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN
from solders.token.state import Mint, TokenAccount, TokenAccountState
from solders.transaction import VersionedTransaction

from sandbox.ports import free_port

REPOSITORY = Path(__file__).parents[2]
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
LOOKUP_TABLE_PROGRAM = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
SYSTEM = Pubkey.default()
SOL = 1_000_000_000
DEADLINE = 15.0
"""Seconds until a condition counts as never met; nothing here takes more than a few."""


class Wallet:
    """A funded keypair with an account of each test mint."""

    def __init__(self, number: int) -> None:
        self.keypair = Keypair.from_seed(hashlib.sha256(f"wallet {number}".encode()).digest())
        self.address = self.keypair.pubkey()

    def account(self, mint: Pubkey) -> Pubkey:
        return Pubkey(hashlib.sha256(bytes(self.address) + bytes(mint)).digest())


MINTS = (Pubkey(bytes([5] * 32)), Pubkey(bytes([6] * 32)))
DECIMALS = 6
HOLDING = 1_000 * 10**DECIMALS
WALLETS = [Wallet(number) for number in range(40)]
TABLE = Pubkey(bytes([8] * 32))
"""A lookup table that holds both token accounts of the last wallet, and the first mint."""
TABLE_ENTRIES = (WALLETS[-1].account(MINTS[0]), WALLETS[-1].account(MINTS[1]), MINTS[0])


def genesis() -> dict[str, Any]:
    """A genesis file with the wallets, the mints and the lookup table."""
    accounts = []

    def add(address: Pubkey, owner: Pubkey, data: bytes, lamports: int = SOL) -> None:
        text = base64.b64encode(data).decode()
        accounts.append(
            {"address": str(address), "lamports": lamports, "owner": str(owner), "data": text}
        )

    for mint in MINTS:
        add(mint, TOKEN, bytes(Mint(None, HOLDING * len(WALLETS), DECIMALS, True, None)))
    for wallet in WALLETS:
        add(wallet.address, SYSTEM, b"", 10 * SOL)
        for mint in MINTS:
            state = TokenAccountState.Initialized
            held = TokenAccount(mint, wallet.address, HOLDING, None, state, None, 0, None)
            add(wallet.account(mint), TOKEN, bytes(held))
    header = (1).to_bytes(4, "little") + b"\xff" * 8 + bytes(8) + b"\0\0" + bytes(34)
    add(TABLE, LOOKUP_TABLE_PROGRAM, header + b"".join(map(bytes, TABLE_ENTRIES)))
    return {"accounts": accounts}


class Node:
    """The node as its own process, in a folder of its own."""

    def __init__(self, folder: Path, *options: str, slot_ms: int = 20, finality: int = 4) -> None:
        self.folder, self.port = folder, free_port(adjacent=2)
        self.ledger, self.genesis = folder / "ledger", folder / "genesis.json"
        self.genesis.write_text(json.dumps(genesis()))
        self.url = f"http://127.0.0.1:{self.port}"
        self._options = ["--slot-ms", str(slot_ms), "--finality-slots", str(finality), *options]
        self.process: subprocess.Popen[str] | None = None
        self._http = httpx.Client(base_url=self.url, timeout=DEADLINE)

    def spawn(self) -> subprocess.Popen[str]:
        """Start the process without waiting for it to serve."""
        command = [sys.executable, "-m", "sandbox.services.solana", "--port", str(self.port)]
        command += ["--ledger", str(self.ledger), "--genesis", str(self.genesis), *self._options]
        return subprocess.Popen(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def start(self) -> None:
        """Start, and return once it serves."""
        self.process = self.spawn()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("solana: serving"):
            raise AssertionError(self.process.communicate()[1])

    def stop(self, number: int = signal.SIGTERM) -> float:
        """End the process with a signal; returns the seconds it took."""
        assert self.process is not None
        self._http.close()
        self._http = httpx.Client(base_url=self.url, timeout=DEADLINE)
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.communicate(timeout=DEADLINE)
        return time.monotonic() - began

    def close(self) -> None:
        """Be gone, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.stop(signal.SIGKILL)
        self._http.close()

    def client(self) -> AsyncClient:
        """The ordinary client."""
        return AsyncClient(self.url)

    def call(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call; returns the whole answer."""
        return self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})

    def batch(self, *calls: tuple[Any, ...]) -> Any:
        """Several calls in one request, which no slot boundary can separate."""
        return self.post(
            [
                {"jsonrpc": "2.0", "id": i, "method": name, "params": params}
                for i, (name, *params) in enumerate(calls)
            ]
        )

    def result(self, method: str, *params: Any) -> Any:
        """The result of one call."""
        answer = self.call(method, *params)
        assert "result" in answer, answer
        return answer["result"]

    def post(self, body: Any, path: str = "/") -> Any:
        """POST JSON; returns the JSON of the answer."""
        return self._http.post(path, json=body).json()

    def get(self, path: str, **query: str) -> Any:
        """GET JSON from one of the sandbox's own paths."""
        return self._http.get(path, params=query).json()

    def blockhash(self, commitment: str = "confirmed") -> Hash:
        """A recent blockhash."""
        value = self.result("getLatestBlockhash", {"commitment": commitment})["value"]
        return Hash.from_string(value["blockhash"])

    def send(self, transaction: VersionedTransaction, **options: Any) -> Any:
        """sendTransaction without preflight; returns the whole answer."""
        return self.call(*send_call(transaction, **options))

    def status(self, transaction: VersionedTransaction, **options: Any) -> Any:
        """The status of one transaction; None where it is unknown."""
        signature = str(transaction.signatures[0])
        return self.result("getSignatureStatuses", [signature], options)["value"][0]

    def land(self, transaction: VersionedTransaction, commitment: str = "confirmed") -> None:
        """Send, and return once it has the commitment."""
        answer = self.send(transaction)
        assert "result" in answer, answer
        reached = ("confirmed", "finalized") if commitment == "confirmed" else (commitment,)
        wait_for(lambda: (self.status(transaction) or {}).get("confirmationStatus") in reached)

    def transaction(self, transaction: VersionedTransaction, encoding: str = "json") -> Any:
        """getTransaction at commitment confirmed."""
        options = {
            "encoding": encoding,
            "commitment": "confirmed",
            "maxSupportedTransactionVersion": 0,
        }
        return self.result("getTransaction", str(transaction.signatures[0]), options)

    def slot(self, commitment: str) -> int:
        """The current slot."""
        slot = self.result("getSlot", {"commitment": commitment})
        assert isinstance(slot, int)
        return slot


@contextlib.contextmanager
def running(folder: Path, *options: str, **settings: int) -> Iterator[Node]:
    """A node that serves, and is gone afterwards."""
    node = Node(folder, *options, **settings)
    try:
        node.start()
        yield node
    finally:
        node.close()


def wait_for(condition: Callable[[], Any]) -> Any:
    """Poll until the condition is true; returns what it returned."""
    end = time.monotonic() + DEADLINE
    while not (value := condition()):
        assert time.monotonic() < end, "the condition was never met"
        time.sleep(0.005)
    return value


def send_call(transaction: VersionedTransaction, **options: Any) -> tuple[Any, ...]:
    """The call that sends a transaction without preflight, unless the options say otherwise."""
    text = base64.b64encode(bytes(transaction)).decode()
    return "sendTransaction", text, {"encoding": "base64", "skipPreflight": True, **options}


def pay(sender: Wallet, to: Pubkey, amount: int) -> Instruction:
    """A lamport transfer."""
    data = (2).to_bytes(4, "little") + amount.to_bytes(8, "little")
    return Instruction(
        SYSTEM, data, [AccountMeta(sender.address, True, True), AccountMeta(to, False, True)]
    )


def move(sender: Wallet, to: Wallet, mint: Pubkey, amount: int) -> Instruction:
    """A transfer_checked of a test token."""
    return Instruction(
        TOKEN,
        bytes([12]) + amount.to_bytes(8, "little") + bytes([DECIMALS]),
        [
            AccountMeta(sender.account(mint), False, True),
            AccountMeta(mint, False, False),
            AccountMeta(to.account(mint), False, True),
            AccountMeta(sender.address, True, False),
        ],
    )


def memo(text: str | None = None) -> Instruction:
    """A memo; without a text one that no other transaction has."""
    return Instruction(MEMO, (os.urandom(8).hex() if text is None else text).encode(), [])


def signed(
    blockhash: Hash, signers: list[Wallet], *instructions: Instruction, legacy: bool = False
) -> VersionedTransaction:
    """A transaction that the first signer pays for."""
    keypairs, payer = [wallet.keypair for wallet in signers], signers[0].address
    if legacy:
        message = Message.new_with_blockhash(list(instructions), payer, blockhash)
        return VersionedTransaction(message, keypairs)
    return VersionedTransaction(
        MessageV0.try_compile(payer, list(instructions), [], blockhash), keypairs
    )
