"""Sockets of requests, spoken with the whole ASGI application."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from channels.db import database_sync_to_async

from fairlane.core.models import Event, RelayCursor
from fairlane.core.tests.access_fixtures import IssueKey, fresh_process, issue_key
from fairlane.core.tests.sockets import Socket
from fairlane.core.tests.streaming import close_streams, relaying
from fairlane.core.transitions import Move, move
from sandbox.evm import HOLDERS
from stablecoin.models import Request
from stablecoin.states import REQUEST
from stablecoin.tests.factories import RequestFactory
from stablecoin.tests.outside import CHAIN

__all__ = ["fresh_process", "issue_key"]

pytestmark = pytest.mark.django_db(transaction=True)

HASH = "0x" + "7" * 64
ALL_THE_WAY = ("QUEUED", "SIGNING", "SIGNED", "SUBMITTED", "MINED", "COMPLETED")


@pytest.fixture(autouse=True)
async def streams(transactional_db: None) -> AsyncIterator[None]:
    await RelayCursor.objects.aget_or_create(id=1)
    yield
    await close_streams()


@pytest.fixture
def bearer(issue_key: IssueKey) -> dict[str, str]:
    return {"Authorization": f"Bearer {issue_key('stablecoin:read')[1]}"}


@database_sync_to_async
def request_of(**columns: Any) -> Request:
    request = RequestFactory.create(**columns)
    Event.objects.create(
        kind=Request.EVENT_KIND,
        object_id=request.id,
        seq=1,
        status="RECEIVED",
        wallet=request.wallet,
        data={"requestId": request.request_id},
    )
    return request


@database_sync_to_async
def go(request: Request, *statuses: str) -> None:
    for status in statuses:
        columns = {"transaction_hash": HASH} if status == "COMPLETED" else {}
        assert move(Request, REQUEST, [Move(request.id, status, {}, columns)])


async def test_a_request_is_followed_to_its_end(bearer: dict[str, str]) -> None:
    request = await request_of(request_id="a/b c")
    async with relaying(), Socket(f"/ws/stablecoin/{quote('a/b c', safe='')}", bearer) as socket:
        snapshot = await socket.frame()
        assert (snapshot["type"], snapshot["requestId"], snapshot["seq"]) == (
            "snapshot",
            "a/b c",
            1,
        )
        assert snapshot["request"]["status"] == "RECEIVED"
        assert [entry["seq"] for entry in snapshot["history"]] == [1]
        await go(request, *ALL_THE_WAY)
        steps = await socket.frames(len(ALL_THE_WAY))
        assert [step["status"] for step in steps] == list(ALL_THE_WAY)
        assert [step["seq"] for step in steps] == [2, 3, 4, 5, 6, 7]
        assert {step["requestId"] for step in steps} == {"a/b c"}
        assert [step["phase"] for step in steps][-2:] == ["PROCESSING", "COMPLETED"]
        assert await socket.closed() == 1000


async def test_a_socket_resumes_after_what_it_has_seen(bearer: dict[str, str]) -> None:
    request = await request_of(request_id="r")
    await go(request, *ALL_THE_WAY)
    async with Socket("/ws/stablecoin/r?since=5", bearer) as socket:
        snapshot = await socket.frame()
        assert [entry["seq"] for entry in snapshot["history"]] == [6, 7]
        assert await socket.closed() == 1000


async def test_the_feed_tells_of_every_request_by_its_name(bearer: dict[str, str]) -> None:
    known = await request_of(request_id="known")
    async with relaying(), Socket("/ws/stablecoin", bearer) as socket:
        snapshot = await socket.frame()
        assert [shown["requestId"] for shown in snapshot["requests"]] == ["known"]
        await go(known, "QUEUED")
        other = await request_of(request_id="other")
        await go(other, "QUEUED")
        told: list[tuple[str, str]] = []
        while told[-1:] != [("other", "QUEUED")]:
            frame = await socket.frame()
            told.append((frame["requestId"], frame["status"]))
        # The relay may have published the first event before or after the socket was opened.
        assert told[-3:] == [("known", "QUEUED"), ("other", "RECEIVED"), ("other", "QUEUED")]


async def test_a_feed_resumed_from_a_position_misses_nothing(bearer: dict[str, str]) -> None:
    request = await request_of(request_id="r")
    async with relaying(), Socket("/ws/stablecoin?since=0", bearer) as socket:
        assert (await socket.frame())["type"] == "resumed"
        await go(request, "QUEUED", "SIGNING")
        steps = await socket.frames(3)
        assert [step["status"] for step in steps] == ["RECEIVED", "QUEUED", "SIGNING"]
        assert {step["requestId"] for step in steps} == {"r"}


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/ws/stablecoin/nobody", ("not_found", 4404)),
        ("/ws/stablecoin/r?type=burn", ("invalid_request", 4400)),
        ("/ws/stablecoin/r?chainId=x", ("invalid_request", 4400)),
        ("/ws/stablecoin?since=x", ("invalid_since", 4400)),
    ],
)
async def test_what_cannot_be_followed_is_refused(
    bearer: dict[str, str], path: str, refusal: tuple[str, int]
) -> None:
    await request_of(request_id="r")
    async with Socket(path, bearer) as socket:
        assert await socket.refused() == refusal


async def test_a_name_of_two_chains_needs_the_chain(bearer: dict[str, str]) -> None:
    await request_of(request_id="r", kind="redeem")
    await request_of(request_id="r", kind="redeem", chain_id=CHAIN + 1)
    async with Socket("/ws/stablecoin/r", bearer) as socket:
        assert (await socket.refused())[0] == "ambiguous_name"
    async with Socket(f"/ws/stablecoin/r?chainId={CHAIN + 1}", bearer) as socket:
        assert (await socket.frame())["request"]["chainId"] == CHAIN + 1


async def test_keys_without_the_scope_or_the_wallet_see_nothing(issue_key: IssueKey) -> None:
    await request_of(request_id="r")
    for scope, wallets, refusal in (
        ("orders:read", ["*"], ("forbidden", 4403)),
        ("stablecoin:read", [HOLDERS[1].address], ("not_found", 4404)),
    ):
        plain = (await database_sync_to_async(issue_key)(scope, wallets=wallets))[1]
        async with Socket("/ws/stablecoin/r", {"Authorization": f"Bearer {plain}"}) as socket:
            code, closed = await socket.refused()
            assert closed == refusal[1], code
    async with Socket("/ws/stablecoin", {}) as socket:
        assert (await socket.refused())[1] == 4401
