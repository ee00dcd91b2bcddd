"""The pages for traders, as the server sends them."""

import json
import re
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from uuid_utils.compat import uuid7

from fairlane.core.models import Event, RelayCursor
from orders import registry
from orders.models import Order, Token, Wallet

SOL = "So11111111111111111111111111111111111111112"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
WALLET = "7G2CWXrnfzkNBeev7QBz6e7gZ6SzNuF8zcjKJuaVUGBR"
HOSTILE = """</script><img src=x onerror='alert("1")'><script>alert(1)"""
UNKNOWN = "00000000-0000-7000-8000-000000000000"


class Elements(HTMLParser):
    """Collects every element with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(autouse=True)
def market(db: None) -> None:
    """Two tokens and a wallet, known to this process."""
    Token.objects.create(mint=SOL, symbol="SOL", name="Solana", decimals=9)
    Token.objects.create(mint=USDC, symbol="USDC", name="USD Coin", decimals=6)
    Wallet.objects.create(address=WALLET, label="desk")
    registry.forget()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def visitor(client: Client) -> Client:
    """Somebody who may compare quotes and has no wallet."""
    client.force_login(User.objects.create_user("visitor"))
    return client


def new_order(**columns: Any) -> UUID:
    values = {
        "created_by": "key:1",
        "wallet": WALLET,
        "input_token_id": SOL,
        "output_token_id": USDC,
        "input_amount": 1_500_000_000,
        "slippage_bps": 50,
        "queued_at": timezone.now(),
    }
    order = Order.objects.create(id=uuid7(), **values | columns)
    Event.objects.create(kind="order", object_id=order.id, seq=1, status="PENDING", wallet=WALLET)
    return order.id


def failed_order(reason: str) -> UUID:
    return new_order(status="FAILED", failure_kind="venue", failure_reason=reason)


def data(html: str, name: str) -> Any:
    """The JSON that the page carries for its scripts."""
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', html)
    assert found
    return json.loads(found[1])


@pytest.mark.parametrize("path", ["/", f"/orders/{UNKNOWN}"])
def test_a_page_leads_a_stranger_to_the_sign_in(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"] == f"/sign-in?next={path}"


def test_trade_offers_wallets_and_tokens_with_the_usual_pair_chosen(staff: Client) -> None:
    Token.objects.create(mint="B" * 44, symbol="BONK", name="Bonk", decimals=5)
    Token.objects.create(mint="O" * 44, symbol="OLD", name="Old", decimals=5, active=False)
    Wallet.objects.create(address="H" * 44, label="closed", active=False)
    registry.forget()
    html = staff.get("/").content.decode()
    options = re.findall(r"<option([^>]*)>([^<]*)</option>", html)
    wallets, tokens = options[:1], options[1:]
    assert wallets == [(f' value="{WALLET}"', "desk · 7G2C…UGBR")]
    assert [name for _, name in tokens] == ["BONK", "SOL", "USDC"] * 2
    assert [name for state, name in tokens if "selected" in state] == ["SOL", "USDC"]


def test_trade_starts_with_the_default_slippage(staff: Client, settings: Settings) -> None:
    settings.ORDERS_DEFAULT_SLIPPAGE_BPS = 125
    (field,) = [
        attributes
        for attributes in Elements(staff.get("/").content.decode()).named("input")
        if attributes.get("name") == "slippageBps"
    ]
    assert field["value"] == "1.25"


def test_trade_says_from_which_position_to_follow_the_orders_it_shows(staff: Client) -> None:
    older, newer = new_order(), new_order()
    RelayCursor.objects.update_or_create(id=1, defaults={"position": 41})
    page = data(staff.get("/").content.decode(), "page-data")
    assert page["position"] == 41
    assert [order["orderId"] for order in page["orders"]] == [str(newer), str(older)]
    assert page["wallets"] == {WALLET: "desk · 7G2C…UGBR"}


def test_somebody_without_a_wallet_sees_no_orders_and_cannot_send_one(visitor: Client) -> None:
    order_id = new_order()
    html = visitor.get("/").content.decode()
    assert data(html, "page-data")["orders"] == []
    (execute,) = [b for b in Elements(html).named("button") if b.get("id") == "execute"]
    assert "disabled" in execute
    assert "no wallet to trade with" in html
    assert visitor.get(f"/orders/{order_id}").status_code == 404


def test_only_staff_is_shown_the_way_to_the_back_office(visitor: Client) -> None:
    assert 'href="/admin/"' not in visitor.get("/").content.decode()
    visitor.force_login(User.objects.create_superuser("operator"))
    assert 'href="/admin/"' in visitor.get("/").content.decode()


def test_an_order_is_shown_with_its_history(staff: Client) -> None:
    order_id = failed_order("no venue answered")
    answer = staff.get(f"/orders/{order_id}")
    assert answer.status_code == 200
    html = answer.content.decode()
    assert "<title>1.5 SOL → USDC · Fairlane</title>" in html
    order = data(html, "order-data")
    assert order["failure"] == {"kind": "venue", "reason": "no venue answered"}
    assert [entry["status"] for entry in order["history"]] == ["PENDING"]


@pytest.mark.parametrize("path", [f"/orders/{UNKNOWN}", "/orders/not-an-id"])
def test_an_unknown_order_is_a_page_that_says_so(staff: Client, path: str) -> None:
    answer = staff.get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")
    assert "There is no such" in answer.content.decode()


def test_hostile_text_stays_text(staff: Client) -> None:
    Wallet.objects.update(label=HOSTILE)
    order_id = failed_order(HOSTILE)
    for path in ("/", f"/orders/{order_id}"):
        html = staff.get(path).content.decode()
        assert "alert(" in html
        elements = Elements(html)
        assert [a for a in elements.named("img") if a.get("src") == "x"] == []
        assert all(
            a.get("src") or a.get("type") == "application/json" for a in elements.named("script")
        )
    assert data(html, "order-data")["failure"]["reason"] == HOSTILE


@pytest.mark.parametrize("path", ["/", "/orders/ORDER", "/sign-in", "/api/docs"])
def test_pages_obey_their_own_strict_policy(staff: Client, path: str) -> None:
    if path == "/sign-in":
        staff.logout()
    answer = staff.get(path.replace("ORDER", str(new_order())))
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    elements = Elements(answer.content.decode())
    assert elements.named("style") == []
    for script in elements.named("script"):
        assert script.get("type") == "application/json" or (script["src"] or "").startswith("/")
    for _, attributes in elements.found:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]


def test_scripts_put_data_into_the_page_as_text_only() -> None:
    scripts = sorted((settings.BASE_DIR / "static" / "js").glob("*.js"))
    assert scripts
    parses_html = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser")
    assert [script.name for script in scripts if parses_html.search(script.read_text())] == []
