"""Who may ask what of the batches: every route and the socket, from the table of routes itself."""

from collections.abc import AsyncIterator
from itertools import chain
from typing import Any

import orjson
import pytest
from channels.db import database_sync_to_async
from django.test import Client

from batches.models import BatchOrder, Market
from batches.routes import api_routes
from batches.tests import rows
from batches.tests.driving import signed
from batches.tests.rows import WALLETS
from fairlane.core.models import RelayCursor
from fairlane.core.principals import SCOPES
from fairlane.core.tests.access_fixtures import IssueKey
from fairlane.core.tests.sockets import Socket
from fairlane.core.tests.streaming import close_streams

HASH = "00" * 32
NAMES = {"market": "A-B", "number": "7", "order_hash": HASH}
READING = ("get",)


def doors() -> list[tuple[str, str]]:
    """Every method and path of the routes."""
    return list(chain.from_iterable(_methods(route) for route in api_routes))


def _methods(route: Any) -> list[tuple[str, str]]:
    path = str(route.pattern)
    for name, value in NAMES.items():
        path = path.replace(f"<str:{name}>", value).replace(f"<int:{name}>", value)
    assert "<" not in path, path
    view = route.callback.view_class
    return [
        (method, f"/api/{path}")
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(view, method)
    ]


def ask(client: Client, method: str, path: str, key: str = "", body: object = None) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    options = {"data": orjson.dumps(body or {}), "content_type": "application/json"}
    return getattr(client, method)(path, headers=headers, **({} if method == "get" else options))


def scope_of(method: str) -> str:
    return "batches:read" if method in READING else "batches:write"


def test_every_door_is_known() -> None:
    assert len(doors()) == 12


@pytest.mark.parametrize(("method", "path"), doors())
def test_nobody_enters_without_a_key(client: Client, db: None, method: str, path: str) -> None:
    rows.market()
    for key in ("", "flk_nobody"):
        answer = ask(client, method, path, key)
        assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")


@pytest.mark.parametrize(("method", "path"), doors())
def test_every_door_asks_for_its_scope_and_no_other(
    client: Client, issue_key: IssueKey, method: str, path: str
) -> None:
    _, wrong = issue_key(*(SCOPES.keys() - {scope_of(method)}))
    answer = ask(client, method, path, wrong)
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert scope_of(method) in answer.json()["title"]
    _, right = issue_key(scope_of(method))
    assert ask(client, method, path, right).status_code not in (401, 403)


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path in doors() if "A-B" in path]
)
@pytest.mark.parametrize("market", ["NOPE", "%00"])
def test_a_market_that_is_not_there_is_a_404(
    client: Client, issue_key: IssueKey, method: str, path: str, market: str
) -> None:
    _, key = issue_key(scope_of(method))
    answer = ask(client, method, path.replace("A-B", market), key)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path in doors() if "/7" in path or HASH in path]
)
def test_a_batch_or_an_order_that_is_not_there_is_a_404(
    client: Client, issue_key: IssueKey, method: str, path: str
) -> None:
    rows.market()
    _, key = issue_key(scope_of(method))
    for wanted in (path, path.replace("/7", f"/{'9' * 40}").replace(HASH, "%00")):
        answer = ask(client, method, wanted, key)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.fixture
def order(db: None) -> BatchOrder:
    """One of the first wallet."""
    return rows.order(rows.market(), WALLETS[0])


@pytest.fixture
def stranger(issue_key: IssueKey) -> str:
    """The key of who may act for another wallet."""
    return issue_key("batches:read", "batches:write", wallets=[WALLETS[1]])[1]


@pytest.mark.parametrize(("method", "end"), [("get", ""), ("delete", ""), ("post", "/replace")])
def test_an_order_of_another_wallet_is_not_there(
    client: Client, order: BatchOrder, stranger: str, method: str, end: str
) -> None:
    path = f"/api/batches/A-B/orders/{order}{end}"
    assert ask(client, method, path, stranger).status_code == 404
    assert BatchOrder.objects.get().status == "OPEN"


def test_lists_leave_other_wallets_out(client: Client, order: BatchOrder, stranger: str) -> None:
    for query in ("", f"?wallet={WALLETS[0]}", "?status=open"):
        answer = ask(client, "get", f"/api/batches/A-B/orders{query}", stranger)
        assert (answer.status_code, answer.json()["orders"]) == (200, [])


@pytest.mark.parametrize("held", [True, False])
def test_nobody_orders_for_another_wallet(
    client: Client, order: BatchOrder, stranger: str, held: bool
) -> None:
    body: dict[str, str] = (
        {"wallet": WALLETS[0], "side": "buy", "quantity": "1", "limitPrice": "1"}
        if held
        else signed(order.market)
    )
    answer = ask(client, "post", "/api/batches/A-B/orders", stranger, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "wallet_not_allowed")
    assert BatchOrder.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("markets?what=1", "what"),
        ("batches?status=OPEN", "status"),
        ("batches?limit=0", "limit"),
        ("batches?limit=201", "limit"),
        ("batches?what=1", "what"),
        ("batches/A-B/7?what=1", "what"),
        ("batches/A-B/7/bundle?what=1", "what"),
        ("batches/A-B/7/verify?what=1", "what"),
        (f"batches/A-B/7/proof/{HASH}?what=1", "what"),
        ("batches/A-B/prices?limit=1001", "limit"),
        ("batches/A-B/orders?status=FILLED", "status"),
        ("batches/A-B/orders?wallet=%00", "wallet"),
        (f"batches/A-B/orders/{HASH}?what=1", "what"),
    ],
)
def test_a_wrong_parameter_is_named_with_the_reason(
    client: Client, issue_key: IssueKey, path: str, field: str
) -> None:
    rows.batch(rows.market(), 7)
    _, key = issue_key("batches:read")
    answer = ask(client, "get", f"/api/{path}", key)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (400, field)
    assert error["message"]


@pytest.fixture
async def market(transactional_db: None) -> AsyncIterator[Market]:
    await RelayCursor.objects.aget_or_create(id=1)
    yield await database_sync_to_async(rows.market)()
    await close_streams()


@pytest.mark.parametrize(
    ("path", "scope", "code"),
    [
        ("A-B", None, 4401),
        ("A-B", "batches:write", 4403),
        ("NOPE", "batches:read", 4404),
        ("%00", "batches:read", 4404),
        ("A-B?since=x", "batches:read", 4400),
    ],
)
async def test_the_socket_tells_who_may_not_or_asks_wrongly(
    market: Market, issue_key: IssueKey, path: str, scope: str | None, code: int
) -> None:
    headers = {}
    if scope is not None:
        _, key = await database_sync_to_async(issue_key)(scope)
        headers = {"Authorization": f"Bearer {key}"}
    async with Socket(f"/ws/batches/{path}", headers) as socket:
        assert (await socket.refused())[1] == code
