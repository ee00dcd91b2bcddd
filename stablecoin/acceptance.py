"""Requests that the back office asks for: checked, stored once, and answered."""

from http import HTTPStatus

import orjson

from fairlane.core import idempotency, validation
from fairlane.core.errors import FieldError, Problem, invalid
from fairlane.core.idempotency import Answer
from fairlane.core.principals import Principal
from stablecoin import intake, registry, representation
from stablecoin.intake import NewRequest
from stablecoin.models import Request, Source
from stablecoin.requests import StablecoinRequest


def accept(kind: str, path: str, body: object, *, by: Principal, key: str | None) -> Answer:
    """Store what is asked for, or answer with what is stored under its name.

    Args:
        kind: mint or redeem.
        key: the Idempotency-Key header.

    Raises:
        Problem: 400, a field is wrong; 403, not this account; 409, the name or the key was used
            for something else. Nothing is stored then.
    """
    key = idempotency.key_of(key)
    new = _parse(kind, body, by)
    print_ = idempotency.fingerprint("POST", path, body)
    return idempotency.run_once(principal=by, key=key, print_=print_, do=lambda: _store(new))


def _parse(kind: str, body: object, by: Principal) -> NewRequest:
    asked = validation.parse(StablecoinRequest, body)
    if asked.chain_id not in registry.chains():
        raise invalid(FieldError("chainId", "unknown_chain", "This chain is not served."))
    by.require_wallet(asked.user_address)
    return NewRequest(
        kind=kind,
        chain_id=asked.chain_id,
        request_id=asked.request_id,
        wallet=asked.user_address,
        amount=asked.amount,
        source=Source.API,
        created_by=by.ref,
        reference=asked.fiat_ref,
    )


def _store(new: NewRequest) -> tuple[int, str]:
    (receipt,) = intake.receive([new], contests=False)
    if receipt.outcome == "conflict":
        taken = FieldError("requestId", "taken", "Its account, amount or chain is another one.")
        raise Problem(409, "request_exists", "The name was used for another request", [taken])
    shown = representation.summary(Request.objects.get(id=receipt.id))
    return HTTPStatus.ACCEPTED, orjson.dumps(shown).decode()
