"""AWS KMS as an approver: it signs digests with a secp256k1 key that never leaves it."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from coincurve import PublicKey
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from chains.errors import ChainError, Definitive, Transient

# KMS allows 300–1,000 signatures a second and key; more at once would only be throttled.
THREADS = 16
# A signature takes some 20 ms. Throttled, the adaptive mode holds calls back for many seconds,
# which only a caller's own patience bounds; what came too late is there when it is asked for again.
PATIENCE_SECONDS = 10.0
REMEMBERED = 1_000
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=THREADS,
    retries={"mode": "adaptive", "total_max_attempts": 3},
)
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
# What comes before an uncompressed secp256k1 point in a SubjectPublicKeyInfo (RFC 5480).
_SPKI = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200")

# What asking again does not change; all other codes are between us and the service.
_DEFINITIVE = frozenset(
    {
        "AccessDeniedException",
        "DisabledException",
        "InvalidKeyUsageException",
        "InvalidArnException",
        "KMSInvalidStateException",
        "NotFoundException",
        "UnsupportedOperationException",
        "ValidationException",
    }
)

T = TypeVar("T")

# Told of every signature asked for: what came of it, and the seconds it took.
Observer = Callable[[str, float], None]


@dataclass
class _Connection:
    """What one process holds: a client must not cross a fork."""

    client: Any
    executor: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, "kms"))
    pid: int = field(default_factory=os.getpid)
    late: dict[bytes, Future[bytes | ChainError]] = field(default_factory=dict)

    def remember(self, late: dict[bytes, Future[bytes | ChainError]]) -> None:
        """Keep the newest calls that nobody waits for any more, by digest."""
        self.late |= late
        for digest in list(self.late)[:-REMEMBERED]:
            del self.late[digest]


class KmsSigner:
    """One key; see `chains.evm.ports.ApprovalSigner`.

    Args:
        expected_address: the address the key must have; empty for whichever it has.
        patience_seconds: how long `sign` waits, however many digests it has and whatever the
            service does.
    """

    def __init__(
        self,
        key_id: str,
        region: str,
        *,
        expected_address: str = "",
        patience_seconds: float = PATIENCE_SECONDS,
        observe: Observer = lambda outcome, seconds: None,
    ) -> None:
        self._key_id = key_id
        self._region = region
        self._expected = expected_address
        self._patience = patience_seconds
        self._observe = observe
        self._address = ""
        self._connection: _Connection | None = None
        self._lock = threading.Lock()

    def address(self) -> str:
        if not self._address:
            self._address = self._read_address()
        return self._address

    def check(self) -> None:
        """Ask the service for the key.

        Raises:
            ChainError: it does not answer, or the key is not the one that signs.
        """
        if self._read_address() != self.address():
            raise Definitive("KMS: the key is another one than before")

    def sign(self, digests: Sequence[bytes]) -> list[bytes | ChainError]:
        if not digests:
            return []
        give_up_at = time.monotonic() + self._patience
        connection = self._open()
        own_address = connection.executor.submit(self._own_address)
        (address,) = self._answers([own_address], give_up_at)
        if isinstance(address, ChainError):
            return [address] * len(digests)
        asked = [self._ask(connection, digest) for digest in digests]
        answers = self._answers(asked, give_up_at)
        connection.remember(
            {digest: call for digest, call in zip(digests, asked, strict=True) if not call.done()}
        )
        return answers

    def _ask(self, connection: _Connection, digest: bytes) -> Future[bytes | ChainError]:
        """The call that was under way for a digest, unless it failed meanwhile; else a new one."""
        late = connection.late.pop(digest, None)
        if late is not None and not (late.done() and isinstance(late.result(), ChainError)):
            return late
        return connection.executor.submit(self._sign_one, digest)

    def _answers(
        self, asked: Sequence[Future[T | ChainError]], give_up_at: float
    ) -> list[T | ChainError]:
        """Those that are there in time."""
        _, late = wait(asked, timeout=max(0.0, give_up_at - time.monotonic()))
        gave_up = Transient(f"KMS did not answer within {self._patience:g} s")
        return [gave_up if call in late else call.result() for call in asked]

    def _own_address(self) -> str | ChainError:
        try:
            return self.address()
        except ChainError as error:
            return error

    def _sign_one(self, digest: bytes) -> bytes | ChainError:
        started = time.monotonic()
        outcome = "signed"
        try:
            answer = _asked(
                self._open().client.sign,
                KeyId=self._key_id,
                Message=digest,
                MessageType="DIGEST",
                SigningAlgorithm="ECDSA_SHA_256",
            )
            return recoverable(answer["Signature"], digest, self._address)
        except ChainError as error:
            outcome = type(error).__name__.lower()
            return error
        finally:
            self._observe(outcome, time.monotonic() - started)

    def _read_address(self) -> str:
        answer = _asked(self._open().client.get_public_key, KeyId=self._key_id)
        address = address_of(answer["PublicKey"])
        if self._expected and self._expected.lower() != address.lower():
            raise Definitive(f"KMS: the key's address is {address}, not {self._expected}")
        return address

    def _open(self) -> _Connection:
        with self._lock:
            connection = self._connection
            if connection is None or connection.pid != os.getpid():
                client = boto3.client("kms", region_name=self._region, config=_CONFIG)
                connection = self._connection = _Connection(client)
            return connection


def address_of(public_key: bytes) -> str:
    """The address of a DER public key.

    Raises:
        Definitive: it is no uncompressed secp256k1 point.
    """
    point = public_key[len(_SPKI) :]
    if public_key[: len(_SPKI)] != _SPKI or len(point) != 65 or point[0] != 4:
        raise Definitive("KMS: the key is none of ECC_SECG_P256K1")
    return str(to_checksum_address(keccak(point[1:])[12:]))


def recoverable(der: bytes, digest: bytes, address: str) -> bytes:
    """r‖s‖v with a low s, from which the address is recovered.

    Half of all signatures have a high s, which contracts refuse; its mirror is as good.

    Raises:
        Definitive: it is no signature of that key over the digest.
    """
    r, s = _integers(der)
    s = min(s, CURVE_ORDER - s)
    both = r.to_bytes(32) + s.to_bytes(32)
    for parity in (0, 1):
        try:
            key = PublicKey.from_signature_and_message(both + bytes([parity]), digest, hasher=None)
        except ValueError:
            continue
        if to_checksum_address(keccak(key.format(compressed=False)[1:])[12:]) == address:
            return both + bytes([27 + parity])
    raise Definitive("KMS: the signature is not of the key over the digest")


def _integers(der: bytes) -> tuple[int, int]:
    """The two integers of a DER signature: a sequence of both, each below the curve's order."""
    try:
        if der[0] != 0x30 or der[1] != len(der) - 2:
            raise ValueError
        r, rest = _integer(der[2:])
        s, rest = _integer(rest)
    except (IndexError, ValueError):
        raise Definitive("KMS: the signature is no DER") from None
    if rest or not 0 < r < CURVE_ORDER or not 0 < s < CURVE_ORDER:
        raise Definitive("KMS: the signature is out of range")
    return r, s


def _integer(der: bytes) -> tuple[int, bytes]:
    length = der[1]
    content = der[2 : 2 + length]
    if der[0] != 0x02 or not length or len(content) != length:
        raise ValueError
    return int.from_bytes(content, signed=True), der[2 + length :]


def _asked(call: Callable[..., Any], **arguments: Any) -> Any:
    """The service's answer, its errors sorted by reaction; their texts hold no secrets.

    Raises:
        ChainError: see `chains.errors`.
    """
    try:
        return call(**arguments)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        kind = Definitive if code in _DEFINITIVE else Transient
        raise kind(f"KMS answered {code:.60}") from None
    except BotoCoreError as error:
        raise Transient(f"KMS could not be reached ({type(error).__name__})") from None
