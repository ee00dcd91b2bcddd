"""Trading in batches in a real browser against a real stack."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.browser.batches.conftest import MARKET, open_page
from tests.browser.visitor import Visitor
from tests.clients import bearer
from tests.stack import Stack

MESSAGE = "#batch-ticket-message"
NEWEST = "#mine tbody tr:first-child"
SWITCH = """
from fairlane.core import switches
switches.set_switch(name="{name}", on={on}, by="tests", reason="a pause")
"""


def call(stack: Stack, method: str, path: str, **options: Any) -> Mapping[str, Any]:
    answer = httpx.request(
        method, f"{stack.url()}/api{path}", headers=bearer(stack.key), trust_env=False, **options
    )
    assert answer.is_success, answer.text
    found: Mapping[str, Any] = answer.json()
    return found


def slot(stack: Stack, commitment: str) -> int:
    """Where the chain stands."""
    options = [{"commitment": commitment}]
    body = {"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": options}
    found: int = httpx.post(stack.chain.url, json=body, trust_env=False).json()["result"]
    return found


def place(visitor: Visitor, quantity: str, price: str = "") -> None:
    """Send an order with the keyboard, at the price that is proposed or at another."""
    visitor.tab_to("#quantity")
    visitor.press(quantity)
    if price:
        visitor.tab_to("#limitPrice")
        visitor.press(Keys.CONTROL, "a")
        visitor.press(price)
    visitor.tab_to("#place")
    visitor.press(Keys.ENTER)
    visitor.wait("an answer", lambda: visitor.text(MESSAGE))


def limit_of(visitor: Visitor) -> str:
    (limit,) = visitor.find("#limitPrice")
    return limit.get_attribute("value") or ""


def sell(stack: Stack, quantity: str, price: str) -> None:
    """Another trader sells."""
    body = {"wallet": stack.wallets[1], "side": "sell", "quantity": quantity, "limitPrice": price}
    call(stack, "POST", f"/batches/{MARKET}/orders", json=body)


def verdict_of(visitor: Visitor, button: str, verdict: str) -> list[str]:
    """What the dialog says of each step, once it has come to that verdict."""
    visitor.tab_to(button)
    visitor.press(Keys.ENTER)
    visitor.wait_for_text("#checks-verdict", verdict)
    states = visitor.attributes("#checks-steps li", "data-holds")
    visitor.press(Keys.ESCAPE)
    visitor.wait("the dialog closes", lambda: not visitor.find("#checks[open]"))
    # Whoever uses the keyboard goes on from where they were.
    assert visitor.has_focus(button)
    return states


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)], ids=["desk", "phone"])
def test_an_order_is_filled_and_its_batch_verified(
    stack: Stack, open_browser: Callable[[int, int], Visitor], width: int, height: int
) -> None:
    visitor = open_browser(width, height)
    visitor.sign_in()
    open_page(visitor)
    shown = visitor.text("#figures [data-slot=countdown]")
    visitor.wait(
        "the count-down moves", lambda: visitor.text("#figures [data-slot=countdown]") != shown
    )
    price = limit_of(visitor)
    place(visitor, "0.25")
    visitor.wait_for_text(f"{NEWEST} .status", "OPEN")
    sell(stack, "0.25", price)
    visitor.wait_for_text(MESSAGE, "Bought 0.25 SOL in batch #")
    assert visitor.text(MESSAGE).endswith("It is filled.")
    number = visitor.text(MESSAGE).partition("#")[2].partition(".")[0]
    mine = '#mine tr:has([aria-label^="Proof of Buy"]):has([data-status="FILLED"])'
    visitor.wait_for_text(f"{mine} [data-slot=filled]", "100 %")
    batch = f'#past tr:has([aria-label="Verify batch {number}"])'
    visitor.wait_for_text(f"{batch} .status", "SETTLED")
    assert visitor.text(f"{batch} [data-slot=volume]").endswith("0.25 SOL")
    (described,) = visitor.wait(
        "the chart", lambda: visitor.attributes("#clearing svg", "aria-label")
    )
    assert f"Demand and supply of batch {number}" in described
    assert f"#{number}" in visitor.text("#price-words")
    assert not visitor.scrolls_sideways()
    visitor.take_picture(f"batches-{width}")

    confirmed = slot(stack, "confirmed")
    visitor.wait("what was paid is final", lambda: slot(stack, "finalized") >= confirmed)
    assert verdict_of(visitor, f"{batch} [data-slot=verify]", "VERIFIED") == ["true"] * 8
    assert verdict_of(visitor, f"{mine} [data-slot=proof]", "PROVEN") == ["true"] * 5
    assert visitor.complaints() == []


def test_a_double_click_sends_one_order(stack: Stack, desk: Visitor) -> None:
    wallet = stack.wallets[3]
    Select(desk.find("#wallet")[0]).select_by_value(wallet)
    desk.tab_to("#quantity")
    desk.press("0.5")
    (button,) = desk.find("#place")
    ActionChains(desk.driver).double_click(button).perform()
    desk.wait_for_text(MESSAGE, "it is in the next batch")
    orders = call(stack, "GET", f"/batches/{MARKET}/orders", params={"wallet": wallet})["orders"]
    assert [order["quantity"] for order in orders] == ["0.5"]


def test_an_order_is_cancelled_by_keyboard(desk: Visitor) -> None:
    place(desk, "0.125", price="90")
    desk.wait_for_text(f"{NEWEST} [data-slot=quantity]", "0.125 SOL")
    desk.wait_for_text(f"{NEWEST} .status", "OPEN")
    desk.tab_to(f"{NEWEST} [data-slot=cancel]")
    desk.press(Keys.ENTER)
    desk.wait_for_text(f"{NEWEST} .status", "CANCELLED")
    desk.wait_for_text(MESSAGE, "Cancelled")
    assert desk.complaints() == []


def test_what_is_wrong_is_said_at_its_field(desk: Visitor) -> None:
    desk.tab_to("#place")
    desk.press(Keys.ENTER)
    desk.wait_for_text("#quantity-error", "Enter a quantity.")
    assert desk.has_focus("#quantity")
    desk.press("0.0005")
    assert desk.text("#quantity-error") == ""
    desk.tab_to("#place")
    desk.press(Keys.ENTER)
    desk.wait_for_text("#quantity-error", "must be a multiple of the market's lot")
    assert desk.find('#quantity[aria-invalid="true"]')


def test_another_market_has_its_own_address(desk: Visitor) -> None:
    desk.tab_to('#markets a[href="#JUP-USDC"]')
    desk.press(Keys.ENTER)
    desk.wait_for_text("#batch-ticket", "Quantity, JUP")
    desk.wait_for_text("#coming", "Takes orders")
    desk.driver.back()
    desk.wait_for_text("#batch-ticket", "Quantity, SOL")


def test_a_paused_market_says_so(stack: Stack, desk: Visitor) -> None:
    name = f"batches.market.{MARKET}"
    stack.manage(["shell", "--no-imports", "--command", SWITCH.format(name=name, on=False)])
    desk.wait_for_text("#paused", "This market is paused")
    stack.manage(["shell", "--no-imports", "--command", SWITCH.format(name=name, on=True)])
    desk.wait("the market goes on", lambda: desk.text("#paused") == "")


def test_the_page_goes_on_when_the_server_comes_back(stack: Stack, desk: Visitor) -> None:
    stack.stop("web-1")
    desk.wait_for_text("#batches-connection", "interrupted")
    desk.wait_for_text("#coming-empty", "not known while the live updates are interrupted")
    assert desk.text("#figures [data-slot=countdown]") == "—"
    stack.start("web-1")
    stack.wait_until_ready()
    desk.wait_for_text("#batches-connection", "Live")
    desk.wait_for_text("#coming", "Takes orders")
