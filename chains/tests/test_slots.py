"""The feed of slots, from a real node and from ones that misbehave."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import pytest
from websockets.asyncio.server import ServerConnection, serve

from chains.ports import SlotSample
from chains.solana import slots
from chains.tests.transfer_support import start_chain

Handler = Callable[[ServerConnection], Awaitable[None]]


def notification(slot: object) -> str:
    return (
        '{"jsonrpc":"2.0","method":"slotNotification","params":{"subscription":1,'
        f'"result":{{"parent":1,"root":1,"slot":{slot}}}}}}}'
    )


async def take(samples: AsyncGenerator[SlotSample], count: int) -> list[SlotSample]:
    taken: list[SlotSample] = []
    async for sample in samples:
        taken.append(sample)
        if len(taken) == count:
            break
    return taken


async def heard(handler: Handler, count: int, *, silent_s: float = 5) -> list[int]:
    """The first slots of a node that treats its connections as the handler does."""
    async with serve(handler, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"ws://127.0.0.1:{port}"
        async with aclosing(slots.samples(url, silent_s=silent_s, retry_s=0.01)) as samples:
            return [sample.slot for sample in await take(samples, count)]


async def test_a_node_tells_its_slots_in_order(tmp_path_factory: pytest.TempPathFactory) -> None:
    chain = start_chain(tmp_path_factory.mktemp("chain"))
    try:
        url = chain.part.url.replace("http://", "ws://")
        async with aclosing(slots.samples(url)) as samples:
            taken = await take(samples, 10)
    finally:
        chain.part.stop()
    first = taken[0].slot
    assert [sample.slot for sample in taken] == list(range(first, first + 10))
    heard_at = [sample.heard_at for sample in taken]
    assert heard_at == sorted(heard_at)


async def test_a_lost_connection_is_made_again() -> None:
    connections = []

    async def one_slot_each(socket: ServerConnection) -> None:
        connections.append(socket)
        assert "slotSubscribe" in str(await socket.recv())
        await socket.send(notification(len(connections)))

    assert await heard(one_slot_each, 3) == [1, 2, 3]


async def test_a_silent_connection_is_left() -> None:
    connections = []

    async def silent_at_first(socket: ServerConnection) -> None:
        connections.append(socket)
        if len(connections) > 1:
            await socket.send(notification(5))
        await socket.wait_closed()

    assert await heard(silent_at_first, 1, silent_s=0.2) == [5]


async def test_what_is_no_slot_is_passed_over() -> None:
    async def nonsense(socket: ServerConnection) -> None:
        for frame in (
            '{"jsonrpc":"2.0","id":1,"result":1}',
            "nonsense",
            "[]",
            '{"method":"slotNotification","params":{}}',
            notification(-1),
            notification('"7"'),
            notification(8),
        ):
            await socket.send(frame)
        await socket.wait_closed()

    assert await heard(nonsense, 1) == [8]
