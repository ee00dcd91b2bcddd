"""JSON-RPC 2.0 in batch arrays."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson

from chains.errors import ChainError, Transient, of_solana_rpc
from chains.http import Http

# Providers cap arrays between 100 and 1,000 calls, and count each call of one.
BATCH_CALLS = 100

PEER = "the Solana node"


class SolanaRpc:
    """Calls of one provider. Results are outside input: `Any`, for the caller to decode."""

    def __init__(self, url: str, http: Http) -> None:
        self._url = url
        self._http = http

    def __repr__(self) -> str:
        return "<SolanaRpc>"

    async def call(self, method: str, params: Sequence[object] = ()) -> Any:
        """One result.

        Raises:
            ChainError: what went wrong, sorted by reaction.
        """
        (result,) = await self.batch(method, [params])
        if isinstance(result, ChainError):
            raise result
        return result

    async def batch(self, method: str, calls: Sequence[Sequence[object]]) -> list[Any | ChainError]:
        """The result, or the error, of each call, in order. Never raises a `ChainError`."""
        chunks = [calls[i : i + BATCH_CALLS] for i in range(0, len(calls), BATCH_CALLS)]
        answers = await asyncio.gather(*(self._post(method, chunk) for chunk in chunks))
        return [answer for chunk in answers for answer in chunk]

    async def _post(self, method: str, calls: Sequence[Sequence[object]]) -> list[Any | ChainError]:
        requests = [
            {"jsonrpc": "2.0", "id": index, "method": method, "params": params}
            for index, params in enumerate(calls)
        ]
        body = orjson.dumps(requests if len(requests) > 1 else requests[0])
        try:
            answer = orjson.loads(await self._http.post(self._url, body, peer=PEER))
        except ChainError as error:
            return [error] * len(calls)
        except orjson.JSONDecodeError:
            return [Transient(f"{method}: {PEER} answered no JSON")] * len(calls)
        return _in_order(answer, count=len(calls), method=method)


def _in_order(answer: object, *, count: int, method: str) -> list[Any | ChainError]:
    """The answers by request id: a batch may be answered in any order, or refused as a whole."""
    answers = answer if isinstance(answer, list) else [answer]
    by_id = {a["id"]: a for a in answers if isinstance(a, dict) and isinstance(a.get("id"), int)}
    whole = answer if isinstance(answer, dict) and "error" in answer else None
    return [_result(by_id.get(index, whole), method=method) for index in range(count)]


def _result(answer: object, *, method: str) -> Any | ChainError:
    match answer:
        case {"error": {"code": code, "message": message}}:
            return of_solana_rpc(code, message, method=method)
        case {"result": result}:
            return result
    return Transient(f"{method}: {PEER} left the call unanswered")
