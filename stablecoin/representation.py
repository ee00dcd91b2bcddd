"""Requests as the API shows them: camelCase, amounts in base units as text."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from fairlane.core import history
from fairlane.core.models import Event
from stablecoin.models import Approval, Attempt, Consent, Request, Transaction
from stablecoin.states import PHASES


def summary(request: Request) -> dict[str, Any]:
    """A request as lists show it."""
    return {
        "id": str(request.id),
        "requestId": request.request_id,
        "type": request.kind,
        "status": request.status,
        "phase": PHASES[request.status],
        "seq": request.seq,
        "userAddress": request.wallet,
        "amount": str(request.amount),
        "chainId": request.chain_id,
        "txHash": request.transaction_hash or None,
        "lockTxHash": request.lock_hash or None,
        "blockNumber": request.block_number,
        "errorMessage": _error(request),
        "rule": request.rule or None,
        "fiatRef": request.reference or None,
        "source": request.source,
        "createdAt": request.created_at.isoformat(),
        "updatedAt": request.updated_at.isoformat(),
        "links": links(request),
    }


def links(request: Request) -> dict[str, str]:
    """Where the request is read and followed; a name may hold any printable character."""
    name = quote(request.request_id, safe="")
    which = f"?type={request.kind}&chainId={request.chain_id}"
    return {
        "self": f"/status/{name}{which}",
        "websocket": f"/ws/stablecoin/{name}{which}",
        "page": f"/stablecoin/requests/{request.id}",
    }


def detail(
    request: Request,
    approvals: Iterable[Approval],
    transactions: Iterable[Transaction],
    consents: Iterable[Consent],
    events: Iterable[Event],
) -> dict[str, Any]:
    """A request with its approvals, transactions, consents and history."""
    return {
        **summary(request),
        "approvals": [approval(a) for a in approvals],
        "transactions": [transaction(t) for t in transactions],
        "consents": [consent(c) for c in consents],
        "history": [history.entry(e) for e in events],
    }


def approval(row: Approval) -> dict[str, Any]:
    """An approval, without its signature: who has that can have the request carried out."""
    return {
        "number": row.number,
        "state": row.state,
        "nonce": str(row.nonce),
        "deadline": row.deadline,
        "digest": f"0x{bytes(row.digest).hex()}",
        "createdAt": row.created_at.isoformat(),
    }


def transaction(row: Transaction) -> dict[str, Any]:
    """What a relayer has one nonce for; fees are wei. Its attempts are fetched beforehand."""
    return {
        "id": row.pk,
        "relayer": row.relayer.address,
        "nonce": row.nonce,
        "state": row.state,
        "gas": row.gas,
        "txHash": row.mined_hash or None,
        "blockNumber": row.block_number,
        "succeeded": row.succeeded,
        "gasUsed": row.gas_used,
        "gasPrice": None if row.gas_price is None else str(row.gas_price),
        "error": row.error or None,
        "attempts": [attempt(a) for a in row.attempts.all()],
        "createdAt": row.created_at.isoformat(),
    }


def attempt(row: Attempt) -> dict[str, Any]:
    """One signed transaction of a nonce."""
    return {
        "number": row.number,
        "txHash": row.hash,
        "maxFeePerGas": str(row.max_fee),
        "maxPriorityFeePerGas": str(row.priority_fee),
        "cancels": row.cancels,
        "sentAt": row.sent_at and row.sent_at.isoformat(),
        "answer": row.answer or None,
    }


def consent(row: Consent) -> dict[str, Any]:
    """What one person said. Its user is fetched beforehand."""
    return {
        "by": row.user.get_username(),
        "agreed": row.agreed,
        "reason": row.reason,
        "at": row.at.isoformat(),
    }


def _error(request: Request) -> str | None:
    if request.status == "REJECTED":
        return f"rejected by the rule {request.rule}"
    return request.failure_reason if request.status == "FAILED" else None
