"""What both doors make of a new order that they take, and that they do so alike."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from fairlane.core.models import ApiKey, Event, Work
from fairlane.core.rates import Rate
from fairlane.core.redis_clients import client
from orders.models import Order
from orders.stage_names import ROUTE
from orders.tests.doors import (
    BULK,
    EXECUTE,
    GOOD,
    WAIT,
    Door,
    asgi,
    asgi_at_once,
    assert_nothing_stored,
    post,
    rest,
)
from orders.tests.factories import MINTS, TRADERS, WALLET

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("market")]

Bearer = Callable[..., dict[str, str]]


def test_an_order_is_stored_told_and_queued_in_one_go(door: Door, key: dict[str, str]) -> None:
    answer = post(door, EXECUTE, GOOD | {"slippageBps": 30}, key)
    assert answer.status == 202
    order = Order.objects.get()
    assert answer.body == {
        "orderId": str(order.id),
        "status": "PENDING",
        "type": "market",
        "userWallet": WALLET,
        "inputToken": "SOL",
        "outputToken": "USDC",
        "inputAmount": "1.5",
        "slippageBps": 30,
        "queued": True,
        "createdAt": answer.body["createdAt"],
        "links": {
            "self": f"/api/orders/{order.id}",
            "websocket": f"/ws/orders/{order.id}",
        },
    }
    assert (order.input_amount, order.slippage_bps, order.seq) == (1_500_000_000, 30, 1)
    assert order.created_by == f"key:{ApiKey.objects.get().pk}"
    assert order.queued_at is not None
    event = Event.objects.get()
    assert (event.object_id, event.seq, event.status, event.wallet) == (
        order.id,
        1,
        "PENDING",
        WALLET,
    )
    assert event.data["inputAmount"] == "1.5"
    work = Work.objects.get()
    assert (work.object_id, work.stage, work.attempts) == (order.id, ROUTE, 0)
    assert client().llen("orders") == 1


def test_an_order_may_wait(door: Door, key: dict[str, str]) -> None:
    answer = post(door, WAIT, GOOD, key)
    assert (answer.status, answer.body["queued"]) == (201, False)
    assert answer.body["slippageBps"] == 50
    assert Order.objects.get().queued_at is None
    assert not Work.objects.exists()
    assert client().llen("orders") == 0


@pytest.mark.parametrize("amount", ["1.5", 1.5, b"1.50", b"15e-1", b"1.5000000000000000000"])
def test_amounts_are_taken_as_text_or_number(amount: Any, door: Door, key: dict[str, str]) -> None:
    body: Any = GOOD | {"inputAmount": amount}
    if isinstance(amount, bytes):
        raw = b'{"userWallet":"%s","inputToken":"sol","outputToken":"USDC","inputAmount":%s}'
        body = raw % (WALLET.encode(), amount)
    assert post(door, EXECUTE, body, key).status == 202
    assert Order.objects.get().input_amount == 1_500_000_000


def test_tokens_are_named_by_symbol_in_any_case_or_by_mint(door: Door, key: dict[str, str]) -> None:
    body = GOOD | {"inputToken": MINTS["SOL"], "outputToken": "usdc"}
    answer = post(door, EXECUTE, body, key)
    assert (answer.body["inputToken"], answer.body["outputToken"]) == ("SOL", "USDC")


def test_a_content_type_may_name_its_charset(door: Door, key: dict[str, str]) -> None:
    kind = "Application/JSON; charset=utf-8"
    assert post(door, EXECUTE, GOOD, key, **{"Content-Type": kind}).status == 202


def test_another_callers_wallet_is_a_403(door: Door, bearer: Bearer) -> None:
    headers = bearer("orders:write", wallets=[TRADERS[1]])
    answer = post(door, EXECUTE, GOOD, headers)
    assert (answer.status, answer.body["code"]) == (403, "wallet_not_allowed")
    assert_nothing_stored()
    assert post(door, EXECUTE, GOOD | {"userWallet": TRADERS[1]}, headers).status == 202


def test_too_many_requests_are_a_429_that_says_when_to_come_back(
    door: Door, key: dict[str, str], settings: Settings
) -> None:
    settings.THROTTLE_KEY = Rate(1, 3_600_000)
    assert post(door, EXECUTE, GOOD, key).status == 202
    answer = post(door, EXECUTE, GOOD, key)
    assert (answer.status, answer.body["code"]) == (429, "throttled")
    assert int(answer.headers["retry-after"]) > 3_500
    assert Order.objects.count() == 1


def test_a_repeat_gets_the_first_answer_and_does_nothing(door: Door, key: dict[str, str]) -> None:
    first = post(door, EXECUTE, GOOD, key, **{"Idempotency-Key": "k-1"})
    reordered = dict(reversed(GOOD.items()))
    again = post(door, EXECUTE, reordered, key, **{"Idempotency-Key": "k-1"})
    assert (again.status, again.body) == (202, first.body)
    assert "idempotent-replay" not in first.headers
    assert again.headers["idempotent-replay"] == "true"
    assert Order.objects.count() == Event.objects.count() == Work.objects.count() == 1


def test_what_one_door_answered_the_other_repeats(key: dict[str, str]) -> None:
    first = post(rest, EXECUTE, GOOD, key, **{"Idempotency-Key": "k-1"})
    again = post(asgi, EXECUTE, GOOD, key, **{"Idempotency-Key": "k-1"})
    assert again.body == first.body
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [(EXECUTE, GOOD | {"inputAmount": "2"}), (WAIT, GOOD), (BULK, {"orders": [GOOD]})],
)
def test_a_key_used_for_another_request_is_a_409(
    path: str, body: Any, door: Door, key: dict[str, str]
) -> None:
    post(door, EXECUTE, GOOD, key, **{"Idempotency-Key": "k-1"})
    answer = post(door, path, body, key, **{"Idempotency-Key": "k-1"})
    assert (answer.status, answer.body["code"]) == (409, "idempotency_key_reused")
    assert Order.objects.count() == 1


def test_another_callers_key_is_another_key(door: Door, bearer: Bearer) -> None:
    answers = [post(door, EXECUTE, GOOD, bearer(), **{"Idempotency-Key": "k-1"}) for _ in range(2)]
    assert answers[0].body["orderId"] != answers[1].body["orderId"]


def test_a_refused_request_may_be_sent_again_corrected(door: Door, key: dict[str, str]) -> None:
    bad = post(door, EXECUTE, GOOD | {"inputAmount": 0}, key, **{"Idempotency-Key": "k-1"})
    good = post(door, EXECUTE, GOOD, key, **{"Idempotency-Key": "k-1"})
    assert (bad.status, good.status) == (400, 202)


def test_repeats_in_parallel_threads_make_one_order(key: dict[str, str]) -> None:
    def send(_: int) -> str:
        try:
            answer = post(rest, EXECUTE, GOOD, key, **{"Idempotency-Key": "k-1"})
            return str(answer.body["orderId"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        answered = set(threads.map(send, range(12)))
    assert answered == {str(Order.objects.get().id)}


def test_repeats_on_one_event_loop_make_one_order_and_share_a_transaction(
    key: dict[str, str],
) -> None:
    answers = asgi_at_once(EXECUTE, GOOD, [{**key, "Idempotency-Key": "k-1"}] * 50)
    assert {answer.status for answer in answers} == {202}
    assert {answer.body["orderId"] for answer in answers} == {str(Order.objects.get().id)}
    assert sum("idempotent-replay" in answer.headers for answer in answers) == 49


def test_bulk_answers_order_by_order(door: Door, key: dict[str, str]) -> None:
    orders = [GOOD, GOOD | {"inputAmount": 0}, None, GOOD | {"inputAmount": "2"}]
    answer = post(door, BULK, {"orders": orders}, key)
    assert (answer.status, answer.body["accepted"], answer.body["rejected"]) == (207, 2, 2)
    results = answer.body["results"]
    assert [(r["index"], r["status"]) for r in results] == [
        (0, 202),
        (1, 400),
        (2, 400),
        (3, 202),
    ]
    assert results[1]["problem"]["errors"][0]["code"] == "not_positive"
    stored = {str(order.id): order.input_amount for order in Order.objects.all()}
    assert stored == {
        results[0]["order"]["orderId"]: 1_500_000_000,
        results[3]["order"]["orderId"]: 2_000_000_000,
    }
    assert Work.objects.count() == Event.objects.count() == 2
    assert client().llen("orders") == 1


def test_bulk_of_good_orders_is_a_202_and_keeps_their_order(
    door: Door, key: dict[str, str]
) -> None:
    amounts = [str(n) for n in range(1, 31)]
    body = {"orders": [GOOD | {"inputAmount": amount} for amount in amounts]}
    answer = post(door, BULK, body, key)
    assert (answer.status, answer.body["rejected"]) == (202, 0)
    ids = [result["order"]["orderId"] for result in answer.body["results"]]
    assert ids == sorted(ids)
    assert [r["order"]["inputAmount"] for r in answer.body["results"]] == amounts


def test_a_bulk_request_is_repeated_as_a_whole(door: Door, key: dict[str, str]) -> None:
    body = {"orders": [GOOD, {}]}
    first = post(door, BULK, body, key, **{"Idempotency-Key": "k-1"})
    again = post(door, BULK, body, key, **{"Idempotency-Key": "k-1"})
    assert (again.status, again.body) == (207, first.body)
    assert Order.objects.count() == 1


def test_the_stored_time_is_the_answered_time(door: Door, key: dict[str, str]) -> None:
    before = timezone.now()
    answer = post(door, EXECUTE, GOOD, key)
    created = Order.objects.get().created_at
    assert before <= created <= timezone.now()
    assert abs(created - datetime.fromisoformat(answer.body["createdAt"])).seconds < 1
