"""The adapters that the Django settings name, one of each per process.

They may be used from any thread and event loop, and after a fork: connections belong to the loop
that opened them.
"""

import atexit
from collections.abc import Coroutine, Sequence
from functools import cache
from typing import Any, TypeVar

from django.conf import settings

from chains.event_loop import EventLoopThread
from chains.http import Http
from chains.ports import QuoteVenue, SolanaNode, WalletKeys
from chains.solana.client import SolanaClient
from chains.solana.dex.rfq import RfqVenue
from chains.solana.keystore import KeyStore

T = TypeVar("T")

# A node answers a full batch within a second or two; ten is a node in trouble.
_RPC_TIMEOUT_S = 10
# A firm quote is good for seconds: a maker that takes longer than this is of no use.
_RFQ_TIMEOUT_S = 5

_event_loop = EventLoopThread()
_rpc_http = Http(timeout_s=_RPC_TIMEOUT_S)
_rfq_http = Http(timeout_s=_RFQ_TIMEOUT_S)


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


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive async adapters from synchronous code: a task, a command."""
    return _event_loop.run(coroutine)


async def aclose() -> None:
    """Close the running event loop's connections; the adapters open new ones when used again."""
    await _rpc_http.aclose()
    await _rfq_http.aclose()


@atexit.register
def _close() -> None:
    if _event_loop.is_running():
        run(aclose())


def forget() -> None:
    """Build the adapters anew on next use, for settings that changed (in tests)."""
    for adapter in (solana, venues, wallet_keys):
        adapter.cache_clear()
