"""Who may do and see what, over HTTP and over sockets."""

import httpx
import psycopg
import pytest

from tests import clients
from tests.clients import frames, next_frame, send, socket, swap
from tests.stack import Stack

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize("name", [NOBODY, "not-a-uuid"])
async def test_the_socket_of_no_order_says_so(stack: Stack, name: str) -> None:
    async with socket(stack, f"/ws/orders/{name}") as connection:
        (error,) = await frames(connection)
    assert (error["type"], error["code"]) == ("error", "not_found")
    assert connection.close_code == 4404


async def test_without_a_key_nothing_is_answered(stack: Stack, api: httpx.AsyncClient) -> None:
    order_id = await send(api, swap(stack))
    async with httpx.AsyncClient(base_url=stack.url(), trust_env=False) as stranger:
        answers = [
            await stranger.post("/api/orders/execute", json=swap(stack)),
            await stranger.get(f"/api/orders/{order_id}"),
            await stranger.post(f"/api/orders/{order_id}/cancel"),
        ]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    for path in (f"/ws/orders/{order_id}", "/api/orders/ws", "/ws/feed?topics=orders"):
        async with socket(stack, path, key=None) as connection:
            (error,) = await frames(connection)
        assert error["code"] == "not_authenticated"
        assert connection.close_code == 4401


async def test_a_key_acts_for_its_own_wallets_only(stack: Stack, api: httpx.AsyncClient) -> None:
    foreign = await send(api, swap(stack, userWallet=stack.wallets[0]))
    async with clients.api(stack, key="own-wallet") as limited:
        refused = await limited.post("/api/orders/execute", json=swap(stack))
        assert (refused.status_code, refused.json()["code"]) == (403, "wallet_not_allowed")
        assert (await limited.get(f"/api/orders/{foreign}")).status_code == 404
        assert (await limited.post(f"/api/orders/{foreign}/cancel")).status_code == 404
        own = await send(limited, swap(stack, userWallet=stack.wallets[1]))
        await clients.ended(limited, own)
        listed = (await limited.get("/api/orders?limit=500")).json()["results"]
    assert {order["userWallet"] for order in listed} == {stack.wallets[1]}
    assert own in {order["orderId"] for order in listed}
    async with socket(stack, f"/ws/orders/{foreign}", key="own-wallet") as connection:
        assert [frame["code"] for frame in await frames(connection)] == ["not_found"]
    assert connection.close_code == 4404


async def test_a_feed_shows_the_orders_of_the_keys_wallets_only(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    async with socket(stack, "/api/orders/ws", key="own-wallet") as feed:
        assert (await next_frame(feed))["type"] == "snapshot"
        foreign = await send(api, swap(stack, userWallet=stack.wallets[0]))
        assert (await clients.ended(api, foreign))["status"] == "CONFIRMED"
        own = await send(api, swap(stack, userWallet=stack.wallets[1]))
        seen = [await next_frame(feed)]
        while seen[-1]["status"] != "CONFIRMED":
            seen.append(await next_frame(feed))
    assert {frame["orderId"] for frame in seen} == {own}


async def test_a_key_without_the_scope_creates_nothing(stack: Stack) -> None:
    async with clients.api(stack, key="read-only") as reader:
        answer = await reader.post("/api/orders/execute", json=swap(stack))
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


async def test_a_ticket_opens_one_socket_on_any_web_process(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    order_id = await send(api, swap(stack))
    ticket = (await api.post("/api/ws-ticket")).json()["ticket"]
    path = f"/ws/orders/{order_id}?ticket={ticket}"
    async with socket(stack, path, web="web-2", key=None) as first:
        assert (await next_frame(first))["type"] == "snapshot"
    async with socket(stack, path, key=None) as second:
        assert [frame["code"] for frame in await frames(second)] == ["not_authenticated"]
    assert second.close_code == 4401


async def test_the_sockets_of_a_revoked_key_are_closed(stack: Stack) -> None:
    async with socket(stack, "/api/orders/ws", key="revocable") as feed:
        assert (await next_frame(feed))["type"] == "snapshot"
        with psycopg.connect(stack.postgres_url) as database:
            database.execute("UPDATE core_apikey SET revoked_at = now() WHERE name = 'revocable'")
        last = (await frames(feed))[-1]
    assert last["code"] == "not_authenticated"
    assert feed.close_code == 4401
    async with clients.api(stack, key="revocable") as revoked:
        assert (await revoked.get("/api/orders")).status_code == 401
