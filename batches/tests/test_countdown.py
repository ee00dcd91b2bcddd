"""The count-down of a market, which its sockets share."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from batches import countdown
from batches.models import Market


def market(number: int) -> Market:
    return cast(Market, SimpleNamespace(id=number))


@pytest.fixture(autouse=True)
def nothing_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(countdown, "_read", {})
    monkeypatch.setattr(countdown, "_reading", type(countdown._reading)(asyncio.Lock))


async def test_a_market_waits_for_no_other_and_is_read_once_for_all_its_sockets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, go_on, read = asyncio.Event(), asyncio.Event(), list[int]()

    def threaded(_: Callable[..., Any]) -> Callable[..., Any]:
        async def coming(of: Market, _: int) -> list[dict[str, Any]]:
            read.append(of.id)
            if of.id == 1:
                begun.set()
                await go_on.wait()
            return [{"market": of.id}]

        return coming

    monkeypatch.setattr(countdown, "in_thread", threaded)
    slow = [asyncio.create_task(countdown.coming(market(1))) for _ in range(2)]
    await begun.wait()
    async with asyncio.timeout(10):
        assert await countdown.coming(market(2)) == [{"market": 2}]
    go_on.set()
    assert await asyncio.gather(*slow) == [[{"market": 1}]] * 2
    assert read == [1, 2]
