"""The protocol of the sockets, spoken with the whole ASGI application."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from fairlane.core import auth, consumers, feed, history, tickets
from fairlane.core.models import ApiKey, Event, RelayCursor
from fairlane.core.rates import Rate
from fairlane.core.tests.access_fixtures import IssueKey
from fairlane.core.tests.sockets import Frame, Socket
from fairlane.core.tests.streaming import close_streams, relaying
from fairlane.core.transitions import Move, move
from orders import registry
from orders.models import Order, Token
from orders.states import ORDER
from orders.tests.factories import TRADERS, WALLET, OrderFactory
from sandbox.tokens import TOKENS

pytestmark = pytest.mark.django_db(transaction=True)

Open = Callable[..., Socket]


@pytest.fixture(autouse=True)
async def market(transactional_db: None) -> AsyncIterator[None]:
    await RelayCursor.objects.aget_or_create(id=1)
    await Token.objects.abulk_create(
        Token(mint=str(t.mint), symbol=t.symbol, name=t.name, decimals=t.decimals) for t in TOKENS
    )
    registry.forget()
    yield
    await close_streams()
    registry.forget()


@pytest.fixture
def key(issue_key: IssueKey) -> tuple[ApiKey, str]:
    return issue_key("orders:read")


@pytest.fixture
def connect(key: tuple[ApiKey, str]) -> Open:
    """Sockets of a caller who may read every wallet's orders."""

    def open_(path: str, plain: str = key[1]) -> Socket:
        return Socket(path, {"Authorization": f"Bearer {plain}"})

    return open_


@pytest.fixture
def narrow(issue_key: IssueKey) -> str:
    """The key of a caller who may act for the second trader only."""
    return issue_key("orders:read", wallets=[TRADERS[1]])[1]


@database_sync_to_async
def order_of(**columns: Any) -> Order:
    return OrderFactory.create(**columns)


@database_sync_to_async
def go(order: Order, *statuses: str) -> None:
    for status in statuses:
        columns = {"failure_kind": "x"} if status == "FAILED" else {}
        assert move(Order, ORDER, [Move(order.id, status, {"to": status}, columns)])


@database_sync_to_async
def publish() -> int:
    """Give positions to all events, as a relay would, announcing nothing."""
    last = 0
    for last, event in enumerate(Event.objects.order_by("id"), start=1):
        Event.objects.filter(pk=event.pk).update(position=last)
    RelayCursor.objects.update(position=last)
    return last


async def test_an_order_is_followed_from_its_snapshot_to_its_end(connect: Open) -> None:
    async with relaying():
        order = await order_of()
        async with connect(f"/ws/orders/{order.id}") as socket:
            snapshot = await socket.frame()
            assert (snapshot["type"], snapshot["orderId"], snapshot["seq"]) == (
                "snapshot",
                str(order.id),
                1,
            )
            assert snapshot["order"]["status"] == "PENDING"
            assert [event["seq"] for event in snapshot["history"]] == [1]
            await go(order, "ROUTING", "BUILDING", "FAILED")
            frames = await socket.frames(3)
            assert await socket.closed() == 1000
    assert [(f["seq"], f["status"], f["data"]) for f in frames] == [
        (2, "ROUTING", {"to": "ROUTING"}),
        (3, "BUILDING", {"to": "BUILDING"}),
        (4, "FAILED", {"to": "FAILED"}),
    ]
    assert {(f["type"], f["orderId"]) for f in frames} == {("status", str(order.id))}
    told = [event.created_at.isoformat() async for event in Event.objects.order_by("seq")]
    assert [f["timestamp"] for f in frames] == told[1:]


@pytest.mark.parametrize("path", ["/ws/orders/", "/orders/"])
async def test_the_socket_of_an_ended_order_tells_all_and_closes(path: str, connect: Open) -> None:
    order = await order_of()
    await go(order, "ROUTING", "FAILED")
    async with connect(f"{path}{order.id}") as socket:
        snapshot = await socket.frame()
        assert [event["status"] for event in snapshot["history"]] == [
            "PENDING",
            "ROUTING",
            "FAILED",
        ]
        assert await socket.closed() == 1000


async def test_a_client_resumes_after_what_it_has_seen(connect: Open) -> None:
    async with relaying():
        order = await order_of()
        await go(order, "ROUTING")
        async with connect(f"/ws/orders/{order.id}?since=1") as socket:
            snapshot = await socket.frame()
            assert [event["seq"] for event in snapshot["history"]] == [2]
            await go(order, "BUILDING")
            assert (await socket.frame())["seq"] == 3
        async with connect(f"/ws/orders/{order.id}?since=3") as socket:
            snapshot = await socket.frame()
            assert (snapshot["history"], snapshot["seq"]) == ([], 3)
            await go(order, "FAILED")
            assert (await socket.frame())["seq"] == 4


async def test_a_client_that_saw_the_end_is_let_go(connect: Open) -> None:
    order = await order_of()
    await go(order, "CANCELLED")
    async with connect(f"/ws/orders/{order.id}?since=2") as socket:
        assert (await socket.frame())["history"] == []
        assert await socket.closed() == 1000


async def test_a_client_that_claims_to_have_seen_more_hears_of_the_end(connect: Open) -> None:
    async with relaying():
        order = await order_of()
        async with connect(f"/ws/orders/{order.id}?since=99") as socket:
            assert (await socket.frame())["seq"] == 1
            await go(order, "CANCELLED")
            assert (await socket.frame())["status"] == "CANCELLED"
            assert await socket.closed() == 1000


async def test_a_long_history_is_told_to_its_end(
    connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "LIMIT", 2)
    order = await order_of()
    await go(order, "ROUTING", "BUILDING", "SUBMITTED", "REVIEW", "FAILED")
    async with connect(f"/ws/orders/{order.id}") as socket:
        assert [event["seq"] for event in (await socket.frame())["history"]] == [1, 2]
        assert [frame["seq"] for frame in await socket.frames(4)] == [3, 4, 5, 6]
        assert await socket.closed() == 1000


async def test_a_hole_in_what_is_announced_is_filled_from_the_rows(connect: Open) -> None:
    order = await order_of()
    async with connect(f"/ws/orders/{order.id}") as socket:
        await socket.frame()
        await go(order, "ROUTING", "BUILDING", "SUBMITTED")
        await publish()
        events = await feed.events_between(0, 99)
        process = await feed.get_feed()
        for event in (events[0], events[3], events[2]):
            for subscription in process._subscriptions[str(order.id)]:
                subscription.put(event)
        assert [frame["seq"] for frame in await socket.frames(3)] == [2, 3, 4]


@pytest.mark.parametrize("since", ["-1", "x", "1.5", "²", "9" * 19, "%00"])
@pytest.mark.parametrize("path", ["/ws/orders/{id}", "/api/orders/ws", "/ws/feed"])
async def test_a_place_to_resume_from_is_a_number(path: str, since: str, connect: Open) -> None:
    order = await order_of()
    query = f"?topics=orders&since={since}"
    async with connect(path.format(id=order.id) + query) as socket:
        assert await socket.refused() == ("invalid_since", 4400)


async def test_a_caller_nobody_knows_is_closed_with_4401() -> None:
    for headers in ({}, {"Authorization": "Bearer flk_nobody"}):
        async with Socket("/api/orders/ws", headers) as socket:
            assert await socket.refused() == ("not_authenticated", 4401)


@pytest.mark.parametrize("path", ["/ws/orders/{id}", "/api/orders/ws", "/ws/feed?topics=orders"])
async def test_a_caller_without_the_scope_is_closed_with_4403(
    path: str, connect: Open, issue_key: IssueKey
) -> None:
    _, plain = await database_sync_to_async(issue_key)("orders:write")
    async with connect(path.format(id=uuid4()), plain) as socket:
        assert await socket.refused() == ("missing_scope", 4403)


async def test_handshakes_are_throttled(connect: Open, settings: Settings) -> None:
    settings.THROTTLE_KEY = Rate(1, 3_600_000)
    async with connect("/api/orders/ws") as first:
        assert (await first.frame())["type"] == "snapshot"
        async with connect("/api/orders/ws") as second:
            assert await second.refused() == ("throttled", 4429)


async def test_a_caller_has_a_number_of_places(
    connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "MAX_SOCKETS", 1)
    async with connect("/api/orders/ws") as first:
        assert (await first.frame())["type"] == "snapshot"
        async with connect("/api/orders/ws") as second:
            assert await second.refused() == ("too_many_sockets", 4429)
    async with connect("/api/orders/ws") as third:
        assert (await third.frame())["type"] == "snapshot"


@pytest.mark.parametrize("name", [str(UUID(int=7)), "7", "nonsense", "%00"])
async def test_an_order_that_is_not_there_is_closed_with_4404(name: str, connect: Open) -> None:
    async with connect(f"/ws/orders/{name}") as socket:
        assert await socket.refused() == ("not_found", 4404)


async def test_another_callers_order_is_not_there(connect: Open, narrow: str) -> None:
    order = await order_of()
    async with connect(f"/ws/orders/{order.id}", narrow) as socket:
        assert await socket.refused() == ("not_found", 4404)


async def test_a_ticket_opens_one_socket(key: tuple[ApiKey, str]) -> None:
    order = await order_of(status="CANCELLED")
    caller = await auth.arefresh(f"key:{key[0].pk}")
    ticket = await database_sync_to_async(tickets.issue)(caller)
    async with Socket(f"/ws/orders/{order.id}?ticket={ticket}", {}) as socket:
        assert (await socket.frame())["type"] == "snapshot"
    async with Socket(f"/ws/orders/{order.id}?ticket={ticket}", {}) as socket:
        assert (await socket.refused())[1] == 4401


async def test_a_feed_shows_open_orders_and_then_what_happens(connect: Open) -> None:
    async with relaying():
        order = await order_of(stage="orders.route")
        await order_of()
        async with connect("/api/orders/ws") as socket:
            snapshot = await socket.frame()
            assert snapshot["type"] == "snapshot"
            assert [shown["orderId"] for shown in snapshot["orders"]] == [str(order.id)]
            await go(order, "ROUTING", "FAILED")
            frames: dict[int, Frame] = {}
            while len(frames) < 2:
                frame = await socket.frame()
                if frame["seq"] > 1:
                    frames[frame["seq"]] = frame
    assert [frame["status"] for frame in frames.values()] == ["ROUTING", "FAILED"]
    positions = [frame["position"] for frame in frames.values()]
    assert positions == sorted(positions) and positions[0] > snapshot["position"]


async def test_a_feed_resumes_after_a_position(
    connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PAGE", 2)
    order = await order_of()
    await go(order, "ROUTING", "BUILDING", "SUBMITTED", "REVIEW")
    assert await publish() == 5
    async with connect("/api/orders/ws?since=1") as socket:
        assert await socket.frame() == {"type": "resumed", "position": 1}
        frames = await socket.frames(4)
    assert [frame["position"] for frame in frames] == [2, 3, 4, 5]


async def test_who_was_away_for_too_long_begins_anew(
    connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "MAX_REPLAY", 2)
    order = await order_of()
    await go(order, "ROUTING", "BUILDING", "SUBMITTED")
    assert await publish() == 4
    async with connect("/api/orders/ws?since=1") as socket:
        frame = await socket.frame()
        assert (frame["type"], frame["position"]) == ("snapshot", 4)
    async with connect("/api/orders/ws?since=2") as socket:
        assert await socket.frame() == {"type": "resumed", "position": 2}


async def test_a_long_replay_costs_more_than_a_handshake(
    connect: Open, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "REPLAY_PER_REQUEST", 1)
    settings.THROTTLE_KEY = Rate(5, 3_600_000)
    order = await order_of()
    await go(order, "ROUTING", "BUILDING", "SUBMITTED")
    assert await publish() == 4
    for _ in range(2):
        async with connect("/api/orders/ws?since=4") as socket:
            assert (await socket.frame())["type"] == "resumed"
    async with connect("/api/orders/ws?since=1") as socket:
        assert (await socket.frame())["type"] == "resumed"
    async with connect("/api/orders/ws?since=4") as socket:
        assert await socket.refused() == ("throttled", 4429)


async def test_a_client_ahead_of_this_process_hears_nothing_twice(connect: Open) -> None:
    order = await order_of()
    await go(order, "ROUTING", "BUILDING", "SUBMITTED")
    await feed.get_feed()
    async with connect("/api/orders/ws?since=3") as socket:
        assert (await socket.frame())["type"] == "resumed"
        await publish()
        process = await feed.get_feed()
        await process._look()
        assert (await socket.frame())["position"] == 4


async def test_a_caller_sees_its_own_wallets_orders_only(connect: Open, narrow: str) -> None:
    async with relaying():
        async with connect("/api/orders/ws", narrow) as socket:
            assert (await socket.frame())["orders"] == []
            await order_of()
            own = await order_of(wallet=TRADERS[1])
            frame = await socket.frame()
            assert (frame["orderId"], frame["seq"]) == (str(own.id), 1)
        async with connect("/api/orders/ws?since=0", narrow) as socket:
            await socket.frame()
            assert (await socket.frame())["orderId"] == str(own.id)


async def test_topics_choose_what_is_heard(connect: Open) -> None:
    async with relaying():
        one, two = await order_of(), await order_of(wallet=TRADERS[1])
        three = await order_of(wallet=TRADERS[2])
        async with connect(f"/ws/feed?topics=order:{one.id},wallet:{TRADERS[1]}") as socket:
            assert (await socket.frame())["type"] == "snapshot"
            await go(three, "ROUTING")
            await go(two, "ROUTING")
            await go(one, "ROUTING")
            heard: list[str] = []
            while str(one.id) not in heard:
                frame = await socket.frame()
                heard += [frame["orderId"]] if frame["seq"] == 2 else []
        assert heard == [str(two.id), str(one.id)]


async def test_topics_choose_what_is_replayed(connect: Open) -> None:
    one, _ = await order_of(), await order_of(wallet=TRADERS[1])
    await go(one, "ROUTING")
    await publish()
    async with connect(f"/ws/feed?since=0&topics=wallet:{TRADERS[1]}") as socket:
        await socket.frame()
        assert (await socket.frame())["position"] == 2


async def test_an_order_of_another_wallet_is_silent_as_a_topic(connect: Open, narrow: str) -> None:
    async with relaying():
        alien, own = await order_of(), await order_of(wallet=TRADERS[1])
        path = f"/ws/feed?topics=order:{alien.id},order:{own.id}"
        async with connect(path, narrow) as socket:
            await socket.frame()
            await go(alien, "ROUTING")
            await go(own, "ROUTING")
            frame = await socket.frame()
            while frame["seq"] == 1:
                assert frame["orderId"] == str(own.id)
                frame = await socket.frame()
            assert frame["orderId"] == str(own.id)


@pytest.mark.parametrize(
    "topics",
    [
        "",
        ",",
        "prices",
        "order:7",
        "wallet:",
        "order:",
        ",".join(f"wallet:{n}" for n in range(101)),
    ],
)
async def test_topics_that_make_no_sense_are_closed_with_4400(topics: str, connect: Open) -> None:
    async with connect(f"/ws/feed?topics={topics}") as socket:
        assert await socket.refused() == ("invalid_request", 4400)


async def test_another_callers_wallet_is_no_topic(connect: Open, narrow: str) -> None:
    async with connect(f"/ws/feed?topics=wallet:{WALLET}", narrow) as socket:
        assert await socket.refused() == ("wallet_not_allowed", 4403)


async def _begun(socket: Socket) -> None:
    """Wait for the snapshot, which at a quick pace heartbeats come before."""
    while (await socket.frame())["type"] != "snapshot":
        pass


async def test_a_silent_socket_beats(connect: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "HEARTBEAT_SECONDS", 0.01)
    async with connect("/api/orders/ws") as socket:
        await _begun(socket)
        for _ in range(2):
            assert await socket.frame() == {"type": "heartbeat"}


async def test_a_key_that_is_revoked_loses_its_sockets(
    connect: Open, key: tuple[ApiKey, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "HEARTBEAT_SECONDS", 0.01)
    async with connect("/api/orders/ws") as socket:
        await _begun(socket)
        await ApiKey.objects.filter(pk=key[0].pk).aupdate(revoked_at=timezone.now())
        frame = await socket.frame()
        while frame["type"] == "heartbeat":
            frame = await socket.frame()
        assert frame["code"] == "not_authenticated"
        assert await socket.closed() == 4401


async def test_a_client_that_goes_while_it_is_sent_to_is_no_failure(
    connect: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def gone(*_: object, **__: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(consumers.FeedConsumer, "send", gone)
    with caplog.at_level("INFO"):
        async with connect("/api/orders/ws"):
            while "socket.gone" not in caplog.text:
                await asyncio.sleep(0.01)
    assert "socket.failed" not in caplog.text


@pytest.mark.parametrize("path", ["/api/orders/ws", "/ws/feed?topics=orders"])
async def test_a_key_that_loses_its_scope_loses_its_sockets(
    connect: Open, key: tuple[ApiKey, str], monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(consumers, "HEARTBEAT_SECONDS", 0.01)
    async with connect(path) as socket:
        await _begun(socket)
        await ApiKey.objects.filter(pk=key[0].pk).aupdate(scopes=["quotes:read"])
        frame = await socket.frame()
        while frame["type"] == "heartbeat":
            frame = await socket.frame()
        assert frame["code"] == "missing_scope"
        assert await socket.closed() == 4403


async def test_a_database_that_is_away_says_nothing_about_the_caller(
    connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(ref: str) -> auth.Principal:
        raise OperationalError

    monkeypatch.setattr(consumers, "HEARTBEAT_SECONDS", 0.01)
    async with connect("/api/orders/ws") as socket:
        await _begun(socket)
        monkeypatch.setattr(auth, "arefresh", away)
        for _ in range(3):
            assert (await socket.frame())["type"] == "heartbeat"


async def test_a_socket_that_cannot_be_served_now_is_told_to_try_again(
    connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: object) -> auth.Principal:
        raise OperationalError

    monkeypatch.setattr(auth, "aauthenticate", away)
    async with connect("/api/orders/ws") as socket:
        assert await socket.refused() == ("unavailable", 1013)


# The second is of the kind that a lost connection is, and none.
@pytest.mark.parametrize("error", [RuntimeError("hunter2"), TimeoutError("hunter2")])
async def test_a_socket_that_fails_is_closed_with_1011(
    connect: Open, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def broken(_: object) -> auth.Principal:
        raise error

    monkeypatch.setattr(auth, "aauthenticate", broken)
    async with connect("/api/orders/ws") as socket:
        assert await socket.closed() == 1011


async def test_a_process_that_stops_closes_its_sockets_with_1001(connect: Open) -> None:
    async with connect("/api/orders/ws") as socket:
        await socket.frame()
        stopping = asyncio.create_task(feed.stop_feed())
        assert await socket.closed() == 1001
        await stopping


async def test_a_client_that_reads_too_slowly_is_closed_with_4408(
    connect: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect("/api/orders/ws") as socket:
        await socket.frame()
        process = await feed.get_feed()
        (subscription,) = process._subscriptions[feed.EVERYTHING]
        subscription.fail(feed.TooSlow())
        assert await socket.closed() == 4408


async def test_a_client_that_leaves_leaves_nothing_behind(connect: Open) -> None:
    order = await order_of()
    async with connect(f"/ws/orders/{order.id}") as socket:
        await socket.frame()
        process = await feed.get_feed()
        assert process._subscriptions
    assert not process._subscriptions


async def test_a_session_of_this_sites_pages_may_listen(operator: User) -> None:
    client = Client()
    await database_sync_to_async(client.force_login)(operator)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    own = {"Cookie": cookie, "Host": "localhost", "Origin": "http://localhost"}
    async with Socket("/api/orders/ws", own) as socket:
        assert (await socket.frame())["type"] == "snapshot"
    async with Socket("/api/orders/ws", own | {"Origin": "http://evil.example"}) as socket:
        assert await socket.refused() == ("cross_origin", 4403)
