"""JSON-RPC 2.0 in batch arrays, of any chain's nodes."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from chains.errors import ChainError, Transient
from chains.http import Http

# Providers cap arrays between 100 and 1,000 calls, and count each call of one.
BATCH_CALLS = 100

Call = tuple[str, Sequence[object]]
# The error for a JSON-RPC error object, which is outside input of any type, and its method.
Classify = Callable[[dict[str, Any], str], ChainError]


class JsonRpc:
    """Calls of one provider. Results are outside input: `Any`, for the caller to decode.

    `peer` is what errors call it: a name, never a URL, which may hold a key.
    """

    def __init__(self, url: str, http: Http, *, peer: str, classify: Classify) -> None:
        self._url = url
        self._http = http
        self._peer = peer
        self._classify = classify

    def __repr__(self) -> str:
        return f"<JsonRpc {self._peer}>"

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
        return await self.together([(method, params) for params in calls])

    async def together(self, calls: Sequence[Call]) -> list[Any | ChainError]:
        """As `batch`, of any methods: up to `BATCH_CALLS` of them are answered by one node."""
        chunks = [calls[i : i + BATCH_CALLS] for i in range(0, len(calls), BATCH_CALLS)]
        answers = await asyncio.gather(*(self._post(chunk) for chunk in chunks))
        return [answer for chunk in answers for answer in chunk]

    async def _post(self, calls: Sequence[Call]) -> list[Any | ChainError]:
        requests = [
            {"jsonrpc": "2.0", "id": index, "method": method, "params": params}
            for index, (method, params) in enumerate(calls)
        ]
        body = orjson.dumps(requests if len(requests) > 1 else requests[0])
        try:
            answer = orjson.loads(await self._http.post(self._url, body, peer=self._peer))
        except ChainError as error:
            return [error] * len(calls)
        except orjson.JSONDecodeError:
            return [Transient(f"{self._peer} answered no JSON")] * len(calls)
        return self._in_order(answer, methods=[method for method, _ in calls])

    def _in_order(self, answer: object, *, methods: Sequence[str]) -> list[Any | ChainError]:
        """The answers by id: a batch may be answered in any order, or refused as a whole."""
        answers = answer if isinstance(answer, list) else [answer]
        by_id = {
            a["id"]: a for a in answers if isinstance(a, dict) and isinstance(a.get("id"), int)
        }
        whole = answer if isinstance(answer, dict) and "error" in answer else None
        return [
            self._result(by_id.get(index, whole), method) for index, method in enumerate(methods)
        ]

    def _result(self, answer: object, method: str) -> Any | ChainError:
        match answer:
            case {"error": dict(error)}:
                return self._classify(error, method)
            case {"result": result}:
                return result
        return Transient(f"{method}: {self._peer} left the call unanswered")
