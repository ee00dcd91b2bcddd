"""Accepting orders: what every door does with a request, and many requests in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import orjson
from django.db import transaction
from pydantic import ValidationError

from fairlane.core import checkpoints, idempotency, validation
from fairlane.core.errors import Problem
from fairlane.core.idempotency import Answer
from fairlane.core.principals import Principal
from orders import representation, services
from orders.parsing import NewOrder, parse_order
from orders.registry import Registry
from orders.requests import BulkRequest

# An order has six fields; objects of thousands must not make the answer larger than the request.
_ERRORS_PER_ORDER = 5


@dataclass(frozen=True, slots=True)
class Door:
    """One way in: its path, whether orders are executed at once, and the status of success."""

    path: str
    queued: bool
    status: int
    bulk: bool = False


EXECUTE = Door("/api/orders/execute", queued=True, status=HTTPStatus.ACCEPTED)
WAIT = Door("/api/orders", queued=False, status=HTTPStatus.CREATED)
BULK = Door("/api/orders/bulk", queued=True, status=HTTPStatus.ACCEPTED, bulk=True)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A checked request: the orders to store and the answer to give, once they are."""

    principal: Principal
    door: Door
    orders: Sequence[NewOrder]
    answer: Answer
    idempotency: idempotency.Request | None


def prepare(
    door: Door, body: object, *, principal: Principal, key: str | None, registry: Registry
) -> Acceptance:
    """Check a request and make its answer. No I/O.

    Args:
        key: the Idempotency-Key header.

    Raises:
        Problem: why nothing of it can be accepted.
    """
    principal.require("orders:write")
    key = idempotency.key_of(key)
    now = datetime.now(UTC)
    if door.bulk:
        orders, answer = _bulk(door, body, principal, registry, now)
    else:
        order = parse_order(body, principal, registry, now)
        shown = representation.new_order(order, queued=door.queued)
        orders, answer = [order], Answer(door.status, orjson.dumps(shown).decode())
    request = None
    if key is not None:
        print_ = idempotency.fingerprint("POST", door.path, body)
        request = idempotency.Request(principal.ref, key, print_, answer)
    return Acceptance(principal, door, orders, answer, request)


def _bulk(
    door: Door, body: object, principal: Principal, registry: Registry, now: datetime
) -> tuple[list[NewOrder], Answer]:
    try:
        items = BulkRequest.model_validate(body).orders
    except ValidationError as error:
        raise validation.problem(error) from None
    orders: list[NewOrder] = []
    results: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            order = parse_order(item, principal, registry, now)
        except Problem as problem:
            problem.errors = problem.errors[:_ERRORS_PER_ORDER]
            results.append(
                {"index": index, "status": problem.status, "problem": problem.document()}
            )
            continue
        shown = representation.new_order(order, queued=door.queued)
        orders.append(order)
        results.append({"index": index, "status": door.status, "order": shown})
    rejected = len(items) - len(orders)
    status = HTTPStatus.MULTI_STATUS if rejected else door.status
    document = {"accepted": len(orders), "rejected": rejected, "results": results}
    return orders, Answer(status, orjson.dumps(document).decode())


def accept(requests: Sequence[Acceptance]) -> list[Answer | Problem]:
    """Store the orders of many requests in one transaction; each request's answer at its place.

    A request whose idempotency key was seen before stores nothing and gets the first answer.
    """
    with transaction.atomic():
        keyed = [r.idempotency for r in requests if r.idempotency]
        outcomes = iter(idempotency.claim(keyed) if keyed else [])
        answers = [next(outcomes) if r.idempotency else r.answer for r in requests]
        first = [
            request
            for request, answer in zip(requests, answers, strict=True)
            if isinstance(answer, Answer) and not answer.replayed
        ]
        services.create(
            [
                (order, request.principal.ref, request.door.queued)
                for request in first
                for order in request.orders
            ]
        )
        checkpoints.reach("orders.accept.before_commit")
    checkpoints.reach("orders.accept.committed")
    return answers
