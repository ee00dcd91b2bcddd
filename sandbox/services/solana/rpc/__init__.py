"""JSON-RPC over the bank: one call, or an array of them, in one pass."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import orjson

from ..bank import Bank
from . import accounts, cluster, transactions
from .errors import (
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RpcError,
)

logger = logging.getLogger(__name__)

Method = Callable[[Bank, list[Any]], Any]

METHODS: dict[str, Method] = accounts.METHODS | cluster.METHODS | transactions.METHODS


def handle(bank: Bank, body: bytes) -> bytes:
    """Answer the body of a request: a call or an array of calls."""
    try:
        request = orjson.loads(body)
    except orjson.JSONDecodeError:
        return orjson.dumps(failure(None, RpcError(PARSE_ERROR, "Parse error")))
    if isinstance(request, list) and request:
        return orjson.dumps([_answer(bank, call) for call in request])
    return orjson.dumps(_answer(bank, request))


def failure(id_: Any, error: RpcError) -> dict[str, Any]:
    """An error answer."""
    return {"jsonrpc": "2.0", "error": error.to_json(), "id": id_}


def _answer(bank: Bank, call: Any) -> dict[str, Any]:
    if not isinstance(call, dict) or not isinstance(call.get("method"), str):
        return failure(None, RpcError(INVALID_REQUEST, "Invalid request"))
    id_, name, params = call.get("id"), call["method"], call.get("params") or []
    try:
        if name in bank.faults.rpcErrors:
            raise RpcError(bank.faults.rpcErrors[name], "Fault on demand", {})
        method = METHODS.get(name)
        if method is None:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        if not isinstance(params, list):
            raise RpcError(INVALID_REQUEST, "`params` is not an array")
        return {"jsonrpc": "2.0", "result": method(bank, params), "id": id_}
    except RpcError as error:
        return failure(id_, error)
    except Exception:
        logger.exception("%s failed", name)
        return failure(id_, RpcError(INTERNAL_ERROR, "Internal error"))
