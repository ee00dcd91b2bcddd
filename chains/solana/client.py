"""A Solana RPC provider as the apps see it."""

import logging
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from chains.errors import Behind, ChainError, Transient
from chains.http import Http
from chains.ports import (
    Blockhash,
    Commitment,
    LandedTransaction,
    ListedTransaction,
    Mint,
    Observation,
    SendOutcome,
    SignatureStatus,
    Simulation,
    TokenAccount,
)
from chains.solana import decode, mints
from chains.solana.rpc import PEER, SolanaRpc

# Limits of the RPC methods themselves.
_STATUSES_PER_CALL = 256
_ACCOUNTS_PER_CALL = 100
_FEE_ACCOUNTS_PER_CALL = 128
LISTED_PER_CALL = 1_000

logger = logging.getLogger(__name__)

T = TypeVar("T")


class SolanaClient:
    """A `chains.ports.SolanaNode` over one JSON-RPC endpoint."""

    def __init__(
        self,
        url: str,
        http: Http,
        *,
        fee_percentile: int = 75,
        fee_cap: int = 1_000_000,  # micro-lamports a unit: 0.0001 SOL for a 100k-unit swap
    ) -> None:
        self._http = http
        self._rpc = SolanaRpc(url, http)
        self._fee_percentile = fee_percentile
        self._fee_cap = fee_cap

    async def latest_blockhash(self) -> Blockhash:
        result = await self._rpc.call("getLatestBlockhash", [{"commitment": "confirmed"}])
        return _decoded(
            lambda: Blockhash(
                value=str(result["value"]["blockhash"]),
                slot=decode.integer(result["context"]["slot"]),
                last_valid_block_height=decode.integer(result["value"]["lastValidBlockHeight"]),
            )
        )

    async def block_height(self, commitment: Commitment = "finalized") -> int:
        result = await self._rpc.call("getBlockHeight", [{"commitment": commitment}])
        return _decoded(lambda: decode.integer(result))

    async def slot(self, commitment: Commitment = "confirmed") -> int:
        result = await self._rpc.call("getSlot", [{"commitment": commitment}])
        return _decoded(lambda: decode.integer(result))

    async def healthy(self) -> bool:
        try:
            return bool(await self._rpc.call("getHealth") == "ok")
        except ChainError:
            return False

    async def statuses(
        self, signatures: Sequence[str], *, not_before_slot: int = 0
    ) -> list[SignatureStatus | None]:
        results = await self._results("getSignatureStatuses", _status_calls(signatures))
        return _statuses(signatures, results, not_before_slot=not_before_slot)

    async def observe(self, signatures: Sequence[str]) -> Observation:
        """Finalized height and slot first, then statuses from a view that is no older.

        An endpoint may be a balancer over nodes of different age. A status read from a node
        behind the finalized slot could miss a transaction that has landed, so it is refused. So
        could one that has thrown that slot's blocks away: where its history begins is asked in
        the same request, and after the statuses, since it only ever moves on.
        """
        epoch = await self._rpc.call("getEpochInfo", [{"commitment": "finalized"}])
        height, slot = _decoded(
            lambda: (decode.integer(epoch["blockHeight"]), decode.integer(epoch["absoluteSlot"]))
        )
        calls = [("getSignatureStatuses", call) for call in _status_calls(signatures)]
        *statuses, first = _all(await self._rpc.together([*calls, ("getFirstAvailableBlock", [])]))
        return Observation(
            finalized_height=height,
            first_available=_decoded(lambda: decode.integer(first)),
            statuses=_statuses(signatures, statuses, not_before_slot=slot),
        )

    async def send(self, transactions: Sequence[bytes]) -> list[SendOutcome]:
        options = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
        calls = [[_base64(transaction), options] for transaction in transactions]
        return [
            SendOutcome(None, str(result))
            if isinstance(result, ChainError)
            else SendOutcome(str(result), None)
            for result in await self._rpc.batch("sendTransaction", calls)
        ]

    async def simulate(self, transactions: Sequence[bytes]) -> list[Simulation]:
        options = {
            "encoding": "base64",
            "sigVerify": False,
            "replaceRecentBlockhash": True,
            "commitment": "confirmed",
        }
        calls = [[_base64(transaction), options] for transaction in transactions]
        results = await self._results("simulateTransaction", calls)
        return _decoded(lambda: [decode.simulation(result["value"]) for result in results])

    async def listed(
        self, address: str, *, before: str | None = None
    ) -> Sequence[ListedTransaction]:
        options: dict[str, object] = {"commitment": "finalized", "limit": LISTED_PER_CALL}
        if before is not None:
            options["before"] = before
        result = await self._rpc.call("getSignaturesForAddress", [address, options])
        return _decoded(lambda: [decode.listed(line) for line in result])

    async def transactions(
        self, signatures: Sequence[str], commitment: Commitment = "confirmed"
    ) -> list[LandedTransaction | None]:
        options = {
            "encoding": "json",
            "commitment": commitment,
            "maxSupportedTransactionVersion": 0,
        }
        calls = [[signature, options] for signature in signatures]
        results = await self._rpc.batch("getTransaction", calls)
        return [
            _landed(signature, result)
            for signature, result in zip(signatures, results, strict=True)
        ]

    async def token_accounts(
        self,
        addresses: Sequence[str],
        commitment: Commitment = "confirmed",
        *,
        not_before_slot: int = 0,
    ) -> list[TokenAccount | None]:
        options = {
            "encoding": "base64",
            "commitment": commitment,
            "dataSlice": decode.TOKEN_ACCOUNT_SLICE,
        }
        values = await self._accounts(addresses, options, not_before_slot=not_before_slot)
        return _decoded(
            lambda: [
                decode.token_account(address, value)
                for address, value in zip(addresses, values, strict=True)
            ]
        )

    async def mints(self, addresses: Sequence[str]) -> list[Mint | None]:
        options = {"encoding": "base64", "commitment": "confirmed"}
        values = await self._accounts(addresses, options)
        return _decoded(
            lambda: [
                mints.mint(address, value) for address, value in zip(addresses, values, strict=True)
            ]
        )

    async def prioritization_fee(self, writable: Sequence[str]) -> int:
        accounts = list(writable[:_FEE_ACCOUNTS_PER_CALL])
        result = await self._rpc.call("getRecentPrioritizationFees", [accounts])
        fees = _decoded(lambda: sorted(decode.integer(f["prioritizationFee"]) for f in result))
        if not fees:
            return 0
        return min(fees[(len(fees) - 1) * self._fee_percentile // 100], self._fee_cap)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _accounts(
        self, addresses: Sequence[str], options: dict[str, Any], *, not_before_slot: int = 0
    ) -> list[Any]:
        chunks = _chunks(addresses, _ACCOUNTS_PER_CALL)
        results = await self._results("getMultipleAccounts", [[c, options] for c in chunks])
        _require_view(results, not_before_slot)
        return _decoded(lambda: _concatenated(results, chunks))

    async def _results(self, method: str, calls: Sequence[Sequence[object]]) -> list[Any]:
        return _all(await self._rpc.batch(method, calls))


def _all(results: Sequence[Any | ChainError]) -> list[Any]:
    """The results of all calls, or the first error, raised."""
    for result in results:
        if isinstance(result, ChainError):
            raise result
    return list(results)


def _status_calls(signatures: Sequence[str]) -> list[list[object]]:
    chunks = _chunks(signatures, _STATUSES_PER_CALL)
    return [[chunk, {"searchTransactionHistory": True}] for chunk in chunks]


def _statuses(
    signatures: Sequence[str], results: Sequence[Any], *, not_before_slot: int
) -> list[SignatureStatus | None]:
    _require_view(results, not_before_slot)
    chunks = _chunks(signatures, _STATUSES_PER_CALL)
    return _decoded(lambda: [decode.status(v) for v in _concatenated(results, chunks)])


def _require_view(results: Sequence[Any], not_before_slot: int) -> None:
    """Refuse answers of a node that has not reached the slot."""
    oldest = _decoded(
        lambda: min((decode.integer(r["context"]["slot"]) for r in results), default=None)
    )
    if oldest is not None and oldest < not_before_slot:
        raise Behind(f"{PEER} answered from a view older than a slot that was told of")


def _decoded(decoder: Callable[[], T]) -> T:
    """What `decoder` returns; a shape it does not know is a node in trouble, not a verdict."""
    try:
        return decoder()
    except decode.MALFORMED as error:
        raise Transient(f"{PEER} answered in an unknown shape ({type(error).__name__})") from None


def _landed(signature: str, result: Any | ChainError) -> LandedTransaction | None:
    """One transaction; None, and a line in the log, where its answer cannot be used.

    An answer about one transaction must not keep the others of its set from being recorded.
    """
    try:
        if isinstance(result, ChainError):
            raise result
        found = _decoded(lambda: decode.transaction(result))
    except ChainError as error:
        logger.warning("transaction %s cannot be read: %s", signature, error)
        return None
    if found is not None and found.signature != signature:
        logger.warning("transaction %s was asked for, another one was answered", signature)
        return None
    return found


def _concatenated(results: Sequence[Any], chunks: Sequence[Sequence[str]]) -> list[Any]:
    """The values of chunked calls in the order asked; each chunk must be answered in full."""
    values = []
    for result, chunk in zip(results, chunks, strict=True):
        if len(result["value"]) != len(chunk):
            raise ValueError("values are missing")
        values += result["value"]
    return values


def _chunks(items: Sequence[T], size: int) -> list[list[T]]:
    return [list(items[i : i + size]) for i in range(0, len(items), size)]


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
