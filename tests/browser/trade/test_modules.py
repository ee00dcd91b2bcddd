"""The pages' own reasoning, asked directly: scripts run in the browser they are written for."""

from typing import Any

import pytest

from tests.browser.visitor import Visitor


@pytest.fixture
def page(open_browser: Any) -> Visitor:
    visitor: Visitor = open_browser(800, 600)
    visitor.go("/sign-in")
    return visitor


def evaluate(page: Visitor, module: str, script: str) -> Any:
    """What a script returns that knows the module as ``m``."""
    wrapped = f"""
        const done = arguments[arguments.length - 1];
        import("/static/js/{module}.js")
            .then((m) => {{ {script} }})
            .then(done, (error) => done(String(error)));
    """
    return page.driver.execute_async_script(wrapped)


def test_amounts_stay_exact_and_percentages_are_read_strictly(page: Visitor) -> None:
    script = """
        return [
            m.amount("1234567.100"), m.amount("0.123456789", 6), m.amount(null),
            m.amount("18446744073709551615.000000001"),
            m.price("161.60795"), m.price("0.0000123456"),
            ...["0.5", "12", "0.05", " 1.25 ", "1.", "0.001", "-1", "1e2", ""].map(m.basisPoints),
        ];
    """
    assert evaluate(page, "format", script) == [
        "1,234,567.1",
        "0.123456",
        "—",
        "18,446,744,073,709,551,615.000000001",
        "161.608",
        "0.0000123456",
        *[50, 1200, 5, 125, 100, None, None, None, None],
    ]


def test_an_intent_keeps_its_key_until_it_was_answered_and_seen(page: Visitor) -> None:
    script = """
        const intents = new m.Intents();
        const first = intents.keyFor({amount: "1"}, 0);
        const again = intents.keyFor({amount: "1"}, 60_000);
        intents.answered(60_000);
        const doubleClick = intents.keyFor({amount: "1"}, 60_300);
        intents.answered(60_300);
        const anotherOrder = intents.keyFor({amount: "1"}, 62_000);
        const edited = intents.keyFor({amount: "2"}, 62_001);
        return [again === first, doubleClick === first, anotherOrder === first,
                new Set([first, anotherOrder, edited]).size];
    """
    assert evaluate(page, "intent", script) == [True, True, False, 3]


BOOK = """
    const fetched = [];
    const book = new m.OrderBook({
        limit: 2,
        fetchOrder: async (orderId) => {
            fetched.push(orderId);
            return {orderId, status: "BUILDING", seq: 3};
        },
        wanted: () => true,
        onChange: () => {},
    });
    const frame = (orderId, seq, status) => ({orderId, seq, status, timestamp: "", data: {}});
    const shown = () => book.newest().map((o) => `${o.orderId} ${o.seq} ${o.status}`);
"""


def test_the_list_takes_every_frame_once_whatever_came_first(page: Visitor) -> None:
    script = """
        book.replace([{orderId: "b", status: "ROUTING", seq: 2}]);
        book.take(frame("b", 2, "ROUTING"));
        book.take(frame("b", 3, "BUILDING"));
        book.take(frame("b", 3, "BUILDING"));
        book.replace([{orderId: "b", status: "ROUTING", seq: 2}]);
        book.take(frame("b", 1, "PENDING"));
        return shown();
    """
    assert evaluate(page, "order-book", BOOK + script) == ["b 3 BUILDING"]


def test_the_list_keeps_the_newest_and_fetches_what_it_does_not_know(page: Visitor) -> None:
    script = """
        book.take(frame("b", 1, "PENDING"));
        book.take(frame("c", 1, "PENDING"));
        book.take(frame("d", 1, "PENDING"));
        book.take(frame("a", 4, "SUBMITTED"));
        book.take(frame("e", 3, "BUILDING"));
        book.take(frame("d", 3, "BUILDING"));
        return new Promise((resolve) => setTimeout(() => resolve([fetched, shown()])));
    """
    fetched, shown = evaluate(page, "order-book", BOOK + script)
    assert fetched == ["e", "d"]
    assert shown == ["e 3 BUILDING", "d 3 BUILDING"]
