"""The back office of orders, used as an operator does: through its pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from fairlane.core import transitions
from fairlane.core.models import AuditEntry, Event, Work
from orders import registry
from orders.models import Attempt, Order, Quote, Token, Wallet
from orders.states import ORDER

SOL = "So11111111111111111111111111111111111111112"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
WALLET = "7G2CWXrnfzkNBeev7QBz6e7gZ6SzNuF8zcjKJuaVUGBR"
SIGNATURE = "5" * 88
LIST = reverse("admin:orders_order_changelist")


@pytest.fixture(autouse=True)
def market(db: None) -> None:
    """Two tokens and a wallet, known to this process."""
    Token.objects.create(mint=SOL, symbol="SOL", name="Solana", decimals=9)
    Token.objects.create(mint=USDC, symbol="USDC", name="USD Coin", decimals=6)
    Wallet.objects.create(address=WALLET, label="desk")
    registry.forget()
    cache.clear()


def new_order(status: str = "PENDING", **columns: Any) -> Order:
    """An order with one event, and one more if it has left PENDING."""
    values = {
        "created_by": "key:1",
        "wallet": WALLET,
        "input_token_id": SOL,
        "output_token_id": USDC,
        "input_amount": 1_500_000_000,
        "slippage_bps": 50,
        "queued_at": timezone.now(),
        "status": status,
    }
    order = Order.objects.create(id=uuid7(), **values | columns)
    Event.objects.create(kind="order", object_id=order.id, seq=1, status="PENDING", wallet=WALLET)
    return order


def failed_order() -> Order:
    return new_order("FAILED", failure_kind="routing", failure_reason="no venue answered")


def order_in_review(stage: str = "orders.build") -> Order:
    order = new_order("REVIEW")
    Work.objects.create(
        object_id=order.id,
        stage=stage,
        attempts=6,
        last_error="the maker spoke nonsense",
        quarantined_at=timezone.now(),
    )
    return order


def signed_attempt(order: Order) -> Attempt:
    return Attempt.objects.create(
        order=order,
        number=1,
        state="SIGNED",
        venue="raydium",
        reference="q1",
        maker=WALLET,
        output_amount=225_000_000,
        message=b"m",
        transaction=b"t",
        signature=SIGNATURE,
        first_slot=9,
        last_valid_block_height=99,
    )


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def onlooker(client: Client) -> Client:
    """Staff who may look at orders and do nothing."""
    user = User.objects.create_user("onlooker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_order"))
    client.force_login(user)
    return client


def page(order: Order) -> str:
    return reverse("admin:orders_order_change", args=[order.id])


def deed_page(order: Order, deed: str) -> str:
    return reverse(f"admin:orders_order_{deed}", args=[order.id])


def do(client: Client, order: Order, deed: str, reason: str = "asked by the desk") -> str:
    """Confirm a deed on the page of an order; returns what the operator sees next."""
    answer = client.post(
        deed_page(order, deed), {"confirmed": "yes", "reason": reason}, follow=True
    )
    assert answer.status_code == 200
    return str(answer.content, "utf-8")


def do_selected(client: Client, orders: list[Order], deed: str, **fields: str) -> str:
    answer = client.post(
        LIST,
        {"action": f"{deed}_selected", "_selected_action": [str(o.id) for o in orders], **fields},
        follow=True,
    )
    assert answer.status_code == 200
    return str(answer.content, "utf-8")


def shown(client: Client, **query: str) -> set[UUID]:
    return {order.id for order in client.get(LIST, query).context["cl"].result_list}


# Looking


def test_the_list_writes_amounts_in_tokens(operator: Client) -> None:
    new_order(
        "CONFIRMED", spent_amount=1_500_000_000, output_amount=225_000_001, signature=SIGNATURE
    )
    text = str(operator.get(LIST).content, "utf-8")
    assert "1.5 SOL" in text
    assert "225.000001 USDC" in text


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_costs_the_same_however_many_orders_it_shows(operator: Client, count: int) -> None:
    for _ in range(count):
        new_order()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(shown(operator)) == count
    # Session, user, orders with their tokens, wallets and tokens of the filters, review badge.
    assert len(queries) <= 6
    assert not any("COUNT(*)" in q["sql"] and "orders_order" in q["sql"] for q in queries)


def test_an_order_is_found_by_id_wallet_label_and_signature(operator: Client) -> None:
    order, other = new_order(), new_order(wallet="9" * 44)
    signed_attempt(order)
    assert shown(operator, q=str(order.id)) == {order.id}
    assert shown(operator, q=WALLET) == {order.id}
    assert shown(operator, q="Desk") == {order.id}
    assert shown(operator, q=SIGNATURE) == {order.id}
    assert shown(operator, q="9" * 44) == {other.id}
    assert shown(operator, q="nonsense") == set()


def test_orders_are_filtered(operator: Client) -> None:
    pending, failed, review = new_order(), failed_order(), order_in_review()
    routed = new_order(venue="raydium")
    assert shown(operator, status="FAILED") == {failed.id}
    assert shown(operator, status="REVIEW") == {review.id}
    assert shown(operator, failure="routing") == {failed.id}
    assert shown(operator, venue="raydium") == {routed.id}
    assert shown(operator, wallet="9" * 44) == set()
    assert shown(operator, token=USDC) == {pending.id, failed.id, review.id, routed.id}
    assert shown(operator, token="absent") == set()
    assert shown(operator, created_at_from_0="2999-01-01") == set()
    assert len(shown(operator, created_at_to_0="2999-01-01", created_at_to_1="12:00:00")) == 4


def test_an_order_shows_its_history_quotes_attempts_and_work(operator: Client) -> None:
    order = order_in_review()
    signed_attempt(order)
    Quote.objects.create(
        order=order, round=1, venue="raydium", output_amount=225_000_001, chosen=True
    )
    Quote.objects.create(order=order, round=1, venue="meteora", refusal="nothing left")
    transitions.move(Order, ORDER, [transitions.Move(order.id, "PENDING", {"note": "again"})])
    text = str(operator.get(page(order)).content, "utf-8")
    for fact in (
        "again",
        "225.000001",
        "nothing left",
        SIGNATURE,
        "the maker spoke nonsense",
        "quarantined",
    ):
        assert fact in text


def test_an_order_offers_what_its_status_allows(operator: Client) -> None:
    failed, review = failed_order(), order_in_review()
    of_failed = str(operator.get(page(failed)).content, "utf-8")
    assert deed_page(failed, "retry") in of_failed
    assert deed_page(failed, "cancel") not in of_failed
    of_review = str(operator.get(page(review)).content, "utf-8")
    assert deed_page(review, "let_go_on") in of_review
    assert deed_page(review, "fail") in of_review


def test_an_order_that_does_not_exist_has_no_page(operator: Client) -> None:
    for key in (uuid7(), "nonsense"):
        address = reverse("admin:orders_order_cancel", args=[key])
        assert operator.get(address).status_code == 404


def test_facts_cannot_be_edited_added_or_deleted(operator: Client) -> None:
    order = new_order()
    operator.post(page(order), {"status": "CONFIRMED", "input_amount": "1"})
    order.refresh_from_db()
    assert (order.status, order.input_amount) == ("PENDING", 1_500_000_000)
    assert operator.get(reverse("admin:orders_order_add")).status_code == 403
    delete = reverse("admin:orders_order_delete", args=[order.id])
    assert operator.post(delete, {"post": "yes"}).status_code == 403
    assert Order.objects.filter(id=order.id).exists()


# Doing


def test_a_deed_asks_before_it_is_done(operator: Client) -> None:
    order = new_order()
    answer = operator.get(deed_page(order, "cancel"))
    assert str(order.id) in str(answer.content, "utf-8")
    order.refresh_from_db()
    assert order.status == "PENDING"


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_a_deed_needs_a_reason(operator: Client, reason: str) -> None:
    order = new_order()
    do(operator, order, "cancel", reason=reason)
    order.refresh_from_db()
    assert order.status == "PENDING"
    assert not AuditEntry.objects.exists()


def test_cancel_ends_the_order_and_is_audited(operator: Client) -> None:
    order = new_order()
    Work.objects.create(object_id=order.id, stage="orders.route")
    assert f"{order.id} is cancelled." in do(operator, order, "cancel")
    order.refresh_from_db()
    assert order.status == "CANCELLED"
    assert not Work.objects.filter(object_id=order.id).exists()
    entry = AuditEntry.objects.get()
    assert entry.action == "order.cancel"
    assert entry.object == f"order:{order.id}"
    assert entry.reason == "asked by the desk"
    assert entry.actor.endswith(" operator")


def test_a_refusal_is_shown_and_nothing_is_done(operator: Client) -> None:
    order = failed_order()
    assert "An order that is FAILED cannot be cancelled" in do(operator, order, "cancel")
    order.refresh_from_db()
    assert order.status == "FAILED"
    assert not AuditEntry.objects.exists()


def test_retry_of_a_failed_order_sends_a_new_one(operator: Client) -> None:
    failed = failed_order()
    text = do(operator, failed, "retry")
    again = Order.objects.exclude(id=failed.id).get()
    assert f"{failed.id} is sent again as {again.id}." in text
    assert (again.status, again.input_amount) == ("PENDING", failed.input_amount)
    assert Work.objects.get(object_id=again.id).stage == "orders.route"
    failed.refresh_from_db()
    assert failed.status == "FAILED"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.after) == ("order.retry", {"order": str(again.id)})


def test_a_reviewed_order_goes_on_where_it_stands(operator: Client) -> None:
    order = order_in_review()
    signed_attempt(order)
    do(operator, order, "let_go_on")
    order.refresh_from_db()
    work = Work.objects.get(object_id=order.id)
    assert order.status == "SUBMITTED"
    assert (work.stage, work.quarantined_at, work.attempts) == ("orders.confirm", None, 0)
    assert AuditEntry.objects.get().action == "order.retry"


def test_a_reviewed_order_is_failed(operator: Client) -> None:
    order = order_in_review()
    do(operator, order, "fail")
    order.refresh_from_db()
    assert (order.status, order.failure_kind) == ("FAILED", "review")
    assert not Work.objects.filter(object_id=order.id).exists()
    assert AuditEntry.objects.get().action == "order.fail"


def test_an_order_that_may_land_is_not_failed(operator: Client) -> None:
    order = order_in_review()
    signed_attempt(order)
    assert "A signed transaction may still land" in do(operator, order, "fail")
    order.refresh_from_db()
    assert order.status == "REVIEW"


def test_selected_orders_are_asked_about_together(operator: Client) -> None:
    orders = [new_order(), new_order()]
    text = do_selected(operator, orders, "cancel")
    assert all(str(order.id) in text for order in orders)
    assert not Order.objects.filter(status="CANCELLED").exists()


def test_of_selected_orders_each_has_its_own_outcome(operator: Client) -> None:
    pending, failed, untouched = new_order(), failed_order(), new_order()
    text = do_selected(operator, [pending, failed], "cancel", confirmed="yes", reason="why not")
    assert f"{pending.id} is cancelled." in text
    assert f"{failed.id}: An order that is FAILED cannot be cancelled" in text
    assert Order.objects.get(status="CANCELLED").id == pending.id
    untouched.refresh_from_db()
    assert untouched.status == "PENDING"
    assert AuditEntry.objects.count() == 1


def test_select_across_pages_reaches_no_row_that_was_not_ticked(operator: Client) -> None:
    ticked, other = new_order(), new_order()
    do_selected(operator, [ticked], "cancel", confirmed="yes", reason="why not", select_across="1")
    assert Order.objects.get(status="CANCELLED").id == ticked.id
    other.refresh_from_db()
    assert other.status == "PENDING"


# Being allowed


def test_onlookers_look_and_do_nothing(onlooker: Client) -> None:
    order = new_order()
    text = str(onlooker.get(page(order)).content, "utf-8")
    assert deed_page(order, "cancel") not in text
    confirmed = {"confirmed": "yes", "reason": "because"}
    assert onlooker.post(deed_page(order, "cancel"), confirmed).status_code == 403
    do_selected(onlooker, [order], "cancel", **confirmed)
    order.refresh_from_db()
    assert order.status == "PENDING"


def test_staff_without_rights_see_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("newcomer", is_staff=True))
    assert client.get(LIST).status_code == 403
    assert client.get(page(new_order())).status_code == 403


# Tokens and wallets


def test_a_token_is_renamed_and_switched_off_but_never_another_mint(operator: Client) -> None:
    address = reverse("admin:orders_token_change", args=[SOL])
    operator.post(address, {"name": "Wrapped SOL", "mint": USDC, "decimals": "2"})
    token = Token.objects.get(symbol="SOL")
    assert (token.mint, token.decimals) == (SOL, 9)
    assert (token.name, token.active) == ("Wrapped SOL", False)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.object) == ("token.change", f"token:{SOL}")
    assert entry.before == {"name": "Solana", "active": True}
    assert entry.after == {"name": "Wrapped SOL", "active": False}


def test_a_wallet_is_added_and_relabelled_but_keeps_its_address(operator: Client) -> None:
    operator.post(
        reverse("admin:orders_wallet_add"), {"address": "9" * 44, "label": "new", "active": "on"}
    )
    operator.post(
        reverse("admin:orders_wallet_change", args=["9" * 44]),
        {"address": "8" * 44, "label": "old", "active": "on"},
    )
    wallet = Wallet.objects.get(address="9" * 44)
    assert wallet.label == "old"
    assert not Wallet.objects.filter(address="8" * 44).exists()
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["wallet.add", "wallet.change"]


@pytest.mark.parametrize(("model", "key"), [("token", SOL), ("wallet", WALLET)])
def test_what_orders_name_is_never_deleted(operator: Client, model: str, key: str) -> None:
    address = reverse(f"admin:orders_{model}_delete", args=[key])
    assert operator.post(address, {"post": "yes"}).status_code == 403
