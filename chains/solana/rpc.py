"""JSON-RPC of Solana's nodes."""

from typing import Any

from chains.errors import ChainError, of_solana_rpc
from chains.http import Http
from chains.json_rpc import JsonRpc

PEER = "the Solana node"


class SolanaRpc(JsonRpc):
    """Calls of one Solana provider."""

    def __init__(self, url: str, http: Http) -> None:
        super().__init__(url, http, peer=PEER, classify=_error)


def _error(error: dict[str, Any], method: str) -> ChainError:
    return of_solana_rpc(error.get("code"), error.get("message"), method=method)
