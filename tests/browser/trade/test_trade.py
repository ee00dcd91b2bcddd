"""Trading in a real browser against a real stack."""

from collections.abc import Callable

import httpx
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browser.visitor import Visitor
from tests.clients import bearer, swap
from tests.stack import Stack

LIFE = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
LATEST_STATUS = "#latest .order-line .status"


def latest_order_id(visitor: Visitor) -> str:
    (address,) = visitor.attributes("#latest .order-line a", "href")
    return address.rpartition("/")[2]


def send_by_keyboard(visitor: Visitor, amount: str) -> None:
    visitor.tab_to("#inputAmount")
    visitor.press(amount)
    visitor.wait_for_text("#quotes tr.best", "Best")
    visitor.tab_to("#execute")
    visitor.press(Keys.ENTER)


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)], ids=["desk", "phone"])
def test_an_order_is_sent_by_keyboard_and_watched_until_it_is_confirmed(
    stack: Stack, open_browser: Callable[[int, int], Visitor], width: int, height: int
) -> None:
    visitor = open_browser(width, height)
    visitor.sign_in()
    send_by_keyboard(visitor, "0.25")
    visitor.wait_for_text(LATEST_STATUS, "CONFIRMED")
    visitor.wait_for_texts("#latest .timeline .status", LIFE)
    order_id = latest_order_id(visitor)
    row = f'#orders tr:has(a[href="/orders/{order_id}"])'
    visitor.wait_for_text(f"{row} .status", "CONFIRMED")
    assert not visitor.scrolls_sideways()
    visitor.take_picture(f"trade-{width}")

    visitor.tab_to("#latest .order-line a")
    visitor.press(Keys.ENTER)
    visitor.wait_for_text("#attempts", "CONFIRMED")
    visitor.wait_for_texts("#timeline .status", LIFE)
    assert sorted(visitor.texts("#order-quotes tbody .tag")) == ["", "Chosen"]
    assert visitor.text("#facts [data-slot=spent]") == "0.25 SOL"
    landed = stack.chain.transaction(visitor.text("#signature"))
    assert landed["meta"]["err"] is None
    assert not visitor.scrolls_sideways()
    visitor.take_picture(f"order-{width}")

    assert stack.chain.executions([order_id]) == {order_id: 1}
    assert visitor.complaints() == []


def test_a_double_click_sends_one_order(stack: Stack, trader: Visitor) -> None:
    wallet = stack.wallets[3]
    trader.click(f'#userWallet option[value="{wallet}"]')
    trader.tab_to("#inputAmount")
    trader.press("0.5")
    (button,) = trader.find("#execute")
    ActionChains(trader.driver).double_click(button).perform()
    trader.wait_for_text(LATEST_STATUS, "CONFIRMED")
    found = httpx.get(
        f"{stack.url()}/api/orders", params={"wallet": wallet}, headers=bearer(stack.key)
    ).json()["results"]
    assert [order["orderId"] for order in found] == [latest_order_id(trader)]


def test_what_is_wrong_is_said_at_its_field(trader: Visitor) -> None:
    trader.tab_to("#execute")
    trader.press(Keys.ENTER)
    trader.wait_for_text("#inputAmount-error", "Enter an amount.")
    assert trader.has_focus("#inputAmount")
    trader.press("0.0000000001")
    trader.wait_for_text("#inputAmount-error", "has more than 9 decimals")
    assert trader.find('#inputAmount[aria-invalid="true"]')
    trader.press(Keys.BACKSPACE * 12, "1")
    trader.wait_for_text("#quotes tr.best", "Best")
    assert trader.text("#inputAmount-error") == ""
    trader.tab_to("#slippageBps")
    trader.press(Keys.BACKSPACE * 4, "50")
    trader.wait_for_text("#slippageBps-error", "At most 10.00 %.")


def test_an_order_of_another_client_appears_and_can_be_cancelled(
    stack: Stack, trader: Visitor
) -> None:
    trader.wait_for_text("#orders-connection", "Live")
    created = httpx.post(
        f"{stack.url()}/api/orders", json=swap(stack), headers=bearer(stack.key)
    ).json()
    row = f'#orders tr:has(a[href="/orders/{created["orderId"]}"])'
    trader.wait_for_text(f"{row} .status", "PENDING")
    trader.click(f"{row} button")
    trader.wait_for_text(f"{row} .status", "CANCELLED")
    assert trader.text(f"{row} button") == ""


def test_an_order_that_waits_is_executed_from_its_page_and_watched_there(
    stack: Stack, trader: Visitor
) -> None:
    created = httpx.post(
        f"{stack.url()}/api/orders", json=swap(stack), headers=bearer(stack.key)
    ).json()
    trader.go(f"/orders/{created['orderId']}")
    trader.wait_for_text("#connection", "Live")
    trader.tab_to("#execute")
    trader.press(Keys.ENTER)
    trader.wait_for_text("#attempts", "CONFIRMED")
    trader.wait_for_texts("#timeline .status", LIFE)
    assert trader.text("#execute") == trader.text("#cancel") == ""
    trader.wait("the socket has ended", lambda: trader.text("#connection") == "")
    assert trader.complaints() == []


def test_pages_go_on_where_they_were_when_the_server_comes_back(
    stack: Stack, trader: Visitor
) -> None:
    stack.interruptions.hold_at("orders.submit.before_send")
    send_by_keyboard(trader, "0.75")
    trader.wait_for_text(LATEST_STATUS, "BUILDING")
    trader.wait(
        "the order is held", lambda: stack.interruptions.is_held("orders.submit.before_send")
    )
    stack.stop("web-1")
    for connection in ("#latest-connection", "#orders-connection"):
        trader.wait_for_text(connection, "Live updates interrupted")
    stack.interruptions.release("orders.submit.before_send")
    stack.start("web-1")
    trader.wait_for_text(LATEST_STATUS, "CONFIRMED")
    trader.wait_for_texts("#latest .timeline .status", LIFE)
    trader.wait_for_text("#orders-connection", "Live")
    row = f'#orders tr:has(a[href="/orders/{latest_order_id(trader)}"])'
    trader.wait_for_text(f"{row} .status", "CONFIRMED")


def test_the_api_reference_works_under_the_strict_policy(trader: Visitor) -> None:
    trader.go("/api/docs")
    trader.wait_for_text("#swagger-ui", "/api/orders/execute")
    assert trader.complaints() == []
