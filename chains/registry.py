"""The adapters that the Django settings name, one of each per process.

They may be used from any thread and event loop, and after a fork: connections belong to the loop
that opened them.
"""

import atexit
from collections.abc import AsyncGenerator, Coroutine, Sequence
from concurrent.futures import Future
from functools import cache
from typing import Any, TypeVar

from django.conf import settings

from chains.blockspace import BlockspaceVenue
from chains.errors import Definitive
from chains.event_loop import EventLoopThread
from chains.evm.client import EvmClient
from chains.evm.ports import ApprovalSigner, ComplianceFeed, EvmNode
from chains.http import Http
from chains.kms import KmsSigner, Observer
from chains.kuro import KuroClient
from chains.ports import QuoteVenue, SlotSample, SolanaNode, WalletKeys
from chains.raiku import RaikuClient
from chains.solana import slots
from chains.solana.client import SolanaClient
from chains.solana.dex.rfq import RfqVenue
from chains.solana.keystore import KeyStore

T = TypeVar("T")

# A node answers a full batch within a second or two; ten is a node in trouble.
_RPC_TIMEOUT_S = 10
# A firm quote is good for seconds: a maker that takes longer than this is of no use.
_RFQ_TIMEOUT_S = 5

# A relayer's cycle is as long as a block or two; who takes longer than this is passed over.
_EVM_TIMEOUT_S = 4

# The list of what is pending may be long, and nobody waits for it.
_KURO_TIMEOUT_S = 20

# A reserved slot is some seconds ahead: an answer that takes longer comes too late to be used.
_RAIKU_TIMEOUT_S = 2

_event_loop = EventLoopThread()
_rpc_http = Http(timeout_s=_RPC_TIMEOUT_S)
_rfq_http = Http(timeout_s=_RFQ_TIMEOUT_S)
_evm_http = Http(timeout_s=_EVM_TIMEOUT_S)
_kuro_http = Http(timeout_s=_KURO_TIMEOUT_S)
_raiku_http = Http(timeout_s=_RAIKU_TIMEOUT_S)
_signature_observers: list[Observer] = []


@cache
def solana() -> SolanaNode:
    return SolanaClient(settings.SOLANA_RPC_URL, _rpc_http)


@cache
def venues() -> Sequence[QuoteVenue]:
    """Every venue orders are routed over, in the order of the settings."""
    return tuple(RfqVenue(name, url, _rfq_http) for name, url in settings.RFQ_MAKERS.items())


@cache
def wallet_keys() -> WalletKeys:
    """
    Raises:
        Definitive: the folder cannot be read, or a key file is unsafe.
    """
    return KeyStore(settings.WALLET_KEYS_DIR)


@cache
def batch_keys() -> WalletKeys:
    """The keys of the vault and of the receipts, labelled `coordinator` and `receipts`.

    Raises:
        Definitive: there is no folder, it cannot be read, or a key file is unsafe.
    """
    if settings.BATCHES_KEYS_DIR is None:
        raise Definitive("BATCHES_KEYS_DIR is not set")
    return KeyStore(settings.BATCHES_KEYS_DIR)


def slot_samples() -> AsyncGenerator[SlotSample]:
    """Slots as they begin, for ever."""
    return slots.samples(
        settings.SOLANA_WEBSOCKET_URL or slots.websocket_url(settings.SOLANA_RPC_URL)
    )


@cache
def evm(chain_id: int) -> EvmNode:
    """A chain of the settings, with what this process knows of its providers."""
    return EvmClient(chain_id, settings.EVM_CHAINS[chain_id].rpc_urls, _evm_http)


@cache
def approval_signer() -> ApprovalSigner:
    """The key that approves mints and redeems."""
    return KmsSigner(
        settings.KMS_KEY_ID,
        settings.AWS_REGION,
        expected_address=settings.KMS_ADDRESS,
        # So that a task never ends before it has recorded what was signed.
        patience_seconds=settings.CELERY_TASK_SOFT_TIME_LIMIT / 2,
        observe=_observe_signature,
    )


def on_signature(observer: Observer) -> None:
    """Tell of every signature that is asked for, in this process."""
    _signature_observers.append(observer)


def _observe_signature(outcome: str, seconds: float) -> None:
    for observer in _signature_observers:
        observer(outcome, seconds)


@cache
def compliance() -> ComplianceFeed:
    return KuroClient(
        settings.KURO_WEBSOCKET_URL,
        settings.KURO_REST_URL,
        _kuro_http,
        token=settings.KURO_TOKEN.reveal(),
    )


@cache
def blockspace() -> BlockspaceVenue | None:
    """Where block space is reserved; None where it is not."""
    if not settings.RAIKU_URL:
        return None
    return RaikuClient(settings.RAIKU_URL, _raiku_http, token=settings.RAIKU_TOKEN.reveal())


def start(coroutine: Coroutine[Any, Any, None]) -> Future[None]:
    """Let a coroutine run beside the adapters, until it is cancelled or the process ends."""
    return _event_loop.start(coroutine)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive async adapters from synchronous code: a task, a command."""
    return _event_loop.run(coroutine)


async def aclose() -> None:
    """Close the running event loop's connections; the adapters open new ones when used again."""
    await _rpc_http.aclose()
    await _rfq_http.aclose()
    await _evm_http.aclose()
    await _kuro_http.aclose()
    await _raiku_http.aclose()


@atexit.register
def _close() -> None:
    if _event_loop.is_running():
        run(aclose())


def forget() -> None:
    """Build the adapters anew on next use, for settings that changed (in tests)."""
    for adapter in (
        solana,
        venues,
        wallet_keys,
        batch_keys,
        evm,
        approval_signer,
        compliance,
        blockspace,
    ):
        adapter.cache_clear()
