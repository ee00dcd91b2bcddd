"""Reading and changing orders over REST."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings
from uuid_utils.compat import uuid7

from fairlane.core import switches
from fairlane.core.models import Event, Work
from orders import routes
from orders.execution import route
from orders.models import Order, Token
from orders.stage_names import ROUTE
from orders.tests.driving import confirm, signed, take_through
from orders.tests.factories import (
    MINTS,
    TRADERS,
    WALLET,
    AttemptFactory,
    EventFactory,
    OrderFactory,
    QuoteFactory,
)
from orders.tests.outside import OutsideWorld

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("market")]

NOBODYS = UUID(int=7)


class Api:
    """A client that sends a key and JSON."""

    def __init__(self, headers: dict[str, str]) -> None:
        self._client = Client(headers=headers, raise_request_exception=False)

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(path, query)

    def post(self, path: str, body: Any = None) -> Any:
        return self._client.post(path, body, content_type="application/json")

    def patch(self, path: str, body: Any) -> Any:
        return self._client.patch(path, body, content_type="application/json")


@pytest.fixture
def api(key: dict[str, str]) -> Api:
    return Api(key)


@pytest.fixture
def other(bearer: Callable[..., dict[str, str]]) -> Api:
    """A caller who may act for another wallet only."""
    return Api(bearer(wallets=[TRADERS[1]]))


def problem(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def ids(answer: Any) -> list[str]:
    return [order["orderId"] for order in answer.json()["results"]]


def test_an_order_shows_its_quotes_attempts_and_history(api: Api) -> None:
    order = OrderFactory.create(confirmed=True, venue="raydium", network_fee=10_000)
    EventFactory.create(object_id=order.id, seq=2, status="CONFIRMED", data={"slot": 7})
    QuoteFactory.create(order=order, chosen=True)
    QuoteFactory.create(
        order=order, venue="meteora", output_amount=None, net_amount=None, refusal="busy"
    )
    attempt = AttemptFactory.create(order=order, signed=True)
    shown = api.get(f"/api/orders/{order.id}").json()
    assert (shown["status"], shown["userWallet"], shown["inputAmount"]) == (
        "CONFIRMED",
        WALLET,
        "1",
    )
    assert (shown["outputAmount"], shown["executedPrice"]) == ("160", "160")
    assert (shown["networkFeeLamports"], shown["txHash"]) == ("10000", order.signature)
    assert [(q["venue"], q["outputAmount"], q["refusal"]) for q in shown["quotes"]] == [
        ("meteora", None, "busy"),
        ("raydium", "160", None),
    ]
    assert [(a["number"], a["state"], a["txHash"]) for a in shown["attempts"]] == [
        (1, "SIGNED", attempt.signature)
    ]
    assert [(e["seq"], e["status"], e["data"]) for e in shown["history"]] == [
        (1, "PENDING", {}),
        (2, "CONFIRMED", {"slot": 7}),
    ]


def test_a_failed_order_says_why(api: Api) -> None:
    order = OrderFactory.create(failed=True)
    assert api.get(f"/api/orders/{order.id}").json()["failure"] == {
        "kind": "routing",
        "reason": "no venue answered",
    }


@pytest.mark.parametrize("name", [str(NOBODYS), "7", "not-a-uuid", "%00", quote("ä")])
def test_an_order_that_is_not_there_is_a_404(name: str, api: Api) -> None:
    for path in (f"/api/orders/{name}", f"/api/orders/{name}/cancel"):
        answer = api.post(path) if path.endswith("cancel") else api.get(path)
        assert problem(answer) == (404, "not_found")


def test_another_callers_order_is_not_there(other: Api) -> None:
    order = OrderFactory.create()
    path = f"/api/orders/{order.id}"
    answers = [
        other.get(path),
        other.patch(path, {"slippageBps": 1}),
        other.post(f"{path}/execute"),
        other.post(f"{path}/cancel"),
    ]
    assert [problem(answer) for answer in answers] == [(404, "not_found")] * 4
    order.refresh_from_db()
    assert (order.status, order.slippage_bps, order.queued_at) == ("PENDING", 50, None)


def test_pages_follow_each_other_without_holes_or_doubles(api: Api) -> None:
    orders = OrderFactory.create_batch(7)
    newest_first = [str(order.id) for order in reversed(orders)]
    answer = api.get("/api/orders", limit=3)
    seen = ids(answer)
    OrderFactory.create()
    while answer.json()["next"]:
        answer = api.get(answer.json()["next"])
        seen += ids(answer)
    assert seen == newest_first
    back = api.get(answer.json()["previous"])
    assert ids(back) == newest_first[3:6]


def test_orders_of_one_moment_are_paged_however_many_they_are(api: Api) -> None:
    moment = timezone.now()
    columns = {"input_token_id": MINTS["SOL"], "output_token_id": MINTS["USDC"]}
    Order.objects.bulk_create(
        Order(
            id=uuid7(),
            wallet=WALLET,
            input_amount=1,
            slippage_bps=1,
            created_at=moment,
            **columns,
        )
        for _ in range(2_100)
    )
    answer = api.get("/api/orders", limit=500)
    seen = ids(answer)
    while answer.json()["next"] and len(seen) < 5_000:
        answer = api.get(answer.json()["next"])
        seen += ids(answer)
    assert len(seen) == len(set(seen)) == 2_100


def test_lists_are_filtered_by_status_and_wallet(api: Api) -> None:
    waiting = OrderFactory.create()
    routing = OrderFactory.create(status="ROUTING", stage=ROUTE)
    failed = OrderFactory.create(failed=True, wallet=TRADERS[1])
    assert ids(api.get("/api/orders", status="PENDING")) == [str(waiting.id)]
    assert ids(api.get("/api/orders", status="ROUTING")) == [str(routing.id)]
    assert ids(api.get("/api/orders", status="FAILED")) == [str(failed.id)]
    assert ids(api.get("/api/orders", wallet=TRADERS[1])) == [str(failed.id)]
    assert ids(api.get("/api/orders", wallet=TRADERS[1], status="PENDING")) == []
    assert ids(api.get(f"/api/orders/user/{TRADERS[1]}", limit=50)) == [str(failed.id)]


def test_a_caller_lists_its_own_wallets_only(other: Api) -> None:
    OrderFactory.create()
    own = OrderFactory.create(wallet=TRADERS[1])
    assert ids(other.get("/api/orders")) == [str(own.id)]
    assert ids(other.get("/api/orders", wallet=WALLET)) == []
    assert problem(other.get(f"/api/orders/user/{WALLET}")) == (403, "wallet_not_allowed")


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": "²"},
        {"limit": "9" * 5_000},
        {"status": "LOST"},
        {"status": "pending"},
        {"page": "2"},
        {"wallet": "\x00"},
        {"wallet": "nobody"},
        {"cursor": "nonsense"},
        {"cursor": b64encode(b"p=yesterday").decode()},
        {"cursor": b64encode(b"p=2026-01-01\x00").decode()},
        {"cursor": b64encode(b"o=99999999999999999999999&p=2026-01-01").decode()},
    ],
)
def test_a_filter_that_makes_no_sense_is_a_400(query: dict[str, str], api: Api) -> None:
    OrderFactory.create()
    assert problem(api.get("/api/orders", **query)) == (400, "invalid_request")


def test_a_wallet_no_order_can_have_has_none(api: Api) -> None:
    assert ids(api.get(f"/api/orders/user/{MINTS['SOL']}")) == []
    for nobody in ("nobody", "%00"):
        assert problem(api.get(f"/api/orders/user/{nobody}")) == (400, "invalid_request")


def test_a_list_costs_the_same_queries_whatever_its_length(api: Api) -> None:
    OrderFactory.create()
    api.get("/api/orders")  # from here on the process knows the key and the tokens
    counts = []
    for _ in range(2):
        OrderFactory.create_batch(10)
        with CaptureQueriesContext(connection) as queries:
            assert api.get("/api/orders", limit=100).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 3


def test_a_detail_costs_four_queries(api: Api) -> None:
    order = OrderFactory.create()
    QuoteFactory.create(order=order)
    QuoteFactory.create(order=order, round=2)
    AttemptFactory.create(order=order)
    api.get("/api/orders")  # from here on the process knows the key and the tokens
    with CaptureQueriesContext(connection) as queries:
        assert api.get(f"/api/orders/{order.id}").status_code == 200
    assert len(queries) == 4


def test_an_order_that_waits_is_executed_by_call(api: Api) -> None:
    order = OrderFactory.create()
    answers = [api.post(f"/api/orders/{order.id}/execute") for _ in range(3)]
    assert {(answer.status_code, answer.json()["queued"]) for answer in answers} == {(202, True)}
    assert Work.objects.get().object_id == order.id


def test_a_paused_intake_executes_nothing_and_still_cancels(api: Api) -> None:
    switches.set_switch(name="orders.intake", on=False, by="user:1 ann", reason="maintenance")
    switches.forget()
    order = OrderFactory.create()
    assert problem(api.post(f"/api/orders/{order.id}/execute")) == (503, "paused")
    assert not Work.objects.exists()
    assert api.post(f"/api/orders/{order.id}/cancel").json()["status"] == "CANCELLED"
    assert problem(api.post(f"/api/orders/{order.id}/cancel")) == (409, "stale_state")


def test_terms_that_are_left_out_stay(api: Api) -> None:
    order = OrderFactory.create(input_amount=1_500_000_000)
    answer = api.patch(f"/api/orders/{order.id}", {"slippageBps": 70})
    assert (answer.status_code, answer.json()["slippageBps"]) == (200, 70)
    answer = api.patch(f"/api/orders/{order.id}", {"inputAmount": "2.25", "outputToken": "BONK"})
    shown = answer.json()
    assert (shown["inputToken"], shown["outputToken"]) == ("SOL", "BONK")
    assert (shown["inputAmount"], shown["slippageBps"], shown["seq"]) == ("2.25", 70, 3)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"outputToken": "SOL"}, "outputToken", "same_token"),
        ({"inputToken": "DOGE"}, "inputToken", "unknown_token"),
        ({"inputAmount": "1e-10"}, "inputAmount", "too_many_decimals"),
        ({"inputToken": "USDC", "outputToken": "SOL", "inputAmount": "1e-7"}, "inputAmount", None),
        ({"userWallet": WALLET}, "userWallet", "unknown_field"),
        ({"slippageBps": 1_001}, "slippageBps", "too_large"),
        ([], "", None),
        ("null", "", None),
    ],
)
def test_terms_that_cannot_be_are_a_400(
    change: Any, field: str, code: str | None, api: Api
) -> None:
    order = OrderFactory.create()
    answer = api.patch(f"/api/orders/{order.id}", change)
    assert problem(answer) == (400, "invalid_request")
    (error,) = answer.json()["errors"]
    assert error["field"] == field and code in (None, error["code"])
    order.refresh_from_db()
    assert order.seq == 1


def test_an_amount_that_no_longer_fits_the_new_token_is_a_400(api: Api) -> None:
    order = OrderFactory.create(input_amount=1_500_000_001)
    answer = api.patch(f"/api/orders/{order.id}", {"inputToken": "USDC", "outputToken": "SOL"})
    assert answer.json()["errors"][0]["code"] == "too_many_decimals"


def test_a_body_over_two_megabytes_is_a_413_on_every_route(api: Api) -> None:
    assert problem(api.post("/api/quotes", " " * 2_000_001)) == (413, "too_large")


def test_quotes_are_compared_without_an_order(api: Api, outside: OutsideWorld) -> None:
    body = {"inputToken": "SOL", "outputToken": "USDC", "inputAmount": 2, "slippageBps": 0}
    shown = api.post("/api/quotes", body).json()
    assert (shown["inputAmount"], shown["slippageBps"], shown["reason"]) == ("2", 0, None)
    by_venue = {q["venue"]: q for q in shown["quotes"]}
    assert set(by_venue) == {"raydium", "meteora"}
    best = max(by_venue.values(), key=lambda q: float(q["netOutputAmount"]))
    assert shown["best"] == best["venue"]
    assert shown["minOutputAmount"] == best["outputAmount"]
    assert not Order.objects.exists() and not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_while_makers_are_asked_no_connection_is_held(
    api: Api, outside: OutsideWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []
    ask_all = route.ask_all

    def watched(*args: Any) -> Any:
        held.append(connection.connection is not None)
        return ask_all(*args)

    monkeypatch.setattr(route, "ask_all", watched)
    body = {"inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1"}
    assert api.post("/api/quotes", body).json()["best"]
    assert held == [False]


def test_without_a_venue_the_comparison_says_why(
    api: Api, outside: OutsideWorld, settings: Settings
) -> None:
    settings.ORDERS_MAX_PRICE_IMPACT_BPS = 0
    body = {"inputToken": "SOL", "outputToken": "USDC", "inputAmount": "1"}
    shown = api.post("/api/quotes", body).json()
    assert (shown["best"], shown["minOutputAmount"]) == (None, None)
    assert "price impact" in shown["reason"]
    assert len(shown["quotes"]) == 2


@pytest.mark.parametrize("body", [None, [], {}, {"inputToken": "SOL"}, {"inputAmount": "0"}])
def test_quotes_for_nonsense_are_a_400(body: Any, api: Api) -> None:
    assert problem(api.post("/api/quotes", body)) == (400, "invalid_request")


def test_quotes_for_an_impossible_amount_name_the_field(api: Api) -> None:
    body = {"inputToken": "USDC", "outputToken": "SOL", "inputAmount": "1e-9"}
    assert api.post("/api/quotes", body).json()["errors"][0]["code"] == "too_many_decimals"


def test_tokens_in_use_are_listed(api: Api) -> None:
    Token.objects.filter(symbol="BONK").update(active=False)
    tokens = {token["symbol"]: token for token in api.get("/api/tokens").json()}
    assert set(tokens) == {"SOL", "USDC", "USDT", "JUP", "PYUSD"}
    assert tokens["PYUSD"] == {
        "symbol": "PYUSD",
        "mint": MINTS["PYUSD"],
        "decimals": 6,
        "token2022": True,
    }


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("get", "/api/orders", "orders:read"),
        ("get", f"/api/orders/user/{WALLET}", "orders:read"),
        ("get", f"/api/orders/{NOBODYS}", "orders:read"),
        ("patch", f"/api/orders/{NOBODYS}", "orders:write"),
        ("post", f"/api/orders/{NOBODYS}/execute", "orders:write"),
        ("post", f"/api/orders/{NOBODYS}/cancel", "orders:write"),
        ("post", "/api/quotes", "quotes:read"),
        ("get", "/api/tokens", "quotes:read"),
    ],
)
def test_every_route_asks_for_its_scope(
    method: str, path: str, scope: str, bearer: Callable[..., dict[str, str]], client: Client
) -> None:
    others = {"orders:read", "orders:write", "quotes:read", "metrics:read"} - {scope}
    send = getattr(client, method)
    assert problem(send(path)) == (401, "not_authenticated")
    assert problem(send(path, headers=bearer(*others))) == (403, "missing_scope")
    allowed = send(path, headers=bearer(scope), content_type="application/json")
    assert allowed.status_code not in (401, 403)


def test_the_schema_is_complete_and_free_of_warnings(client: Client) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file="/dev/null")
    schema = client.get("/api/schema", {"format": "json"}).json()
    described = {path.replace("{order_id}", "<uuid:order_id>") for path in schema["paths"]}
    for api_route in routes.api_routes:
        path = f"/api/{api_route.pattern}".replace("<str:wallet>", "{wallet}")
        assert path in described
    page = schema["paths"]["/api/orders"]["get"]["responses"]["200"]["content"]
    name = page["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert set(schema["components"]["schemas"][name]["properties"]) >= {"results", "next"}


def test_a_confirmed_order_reads_the_same_everywhere(api: Api, outside: OutsideWorld) -> None:
    order = OrderFactory.create(stage=ROUTE)
    signed(order)
    take_through("orders.submit")
    confirm(order)
    shown = api.get(f"/api/orders/{order.id}").json()
    last = shown["history"][-1]["data"]
    assert last["outputAmount"] == shown["outputAmount"]
    assert last["executedPrice"] == shown["executedPrice"]
    assert last["txHash"] == shown["txHash"] == shown["attempts"][0]["txHash"]
    assert [q["chosen"] for q in shown["quotes"]].count(True) == 1
    assert route.rates.get(order.output_token_id) is not None
    assert not Work.objects.exists()
