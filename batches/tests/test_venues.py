"""A venue that hangs: who waits for it, how long, and who goes on without it."""

import socket
from collections.abc import Iterator

import pytest
from django.test import override_settings
from pytest_django import Settings
from uuid_utils.compat import uuid7

from batches import coordinator, venues
from batches.models import Batch, Lane, Market, Reservation, Tick
from batches.moving import lanes
from batches.tests.outside import Chain
from chains import registry as adapters
from chains.errors import Transient
from fairlane.core.redis_clients import client
from fairlane.core.schedule import PERIODIC

pytestmark = pytest.mark.django_db(transaction=True)


class Silent:
    """Somebody who takes connections, and says nothing."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.taken: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    @property
    def connections(self) -> int:
        """How many there have been."""
        try:
            while True:
                self.taken.append(self.socket.accept()[0])
        except BlockingIOError:
            return len(self.taken)

    def close(self) -> None:
        for each in (*self.taken, self.socket):
            each.close()


@pytest.fixture
def silent(chain: Chain, settings: Settings) -> Iterator[Silent]:
    venue = Silent()
    settings.RAIKU_URL = venue.url
    adapters.forget()
    client().delete(venues.KEY)
    yield venue
    client().delete(venues.KEY)
    venue.close()


def test_planning_closing_and_clearing_ask_no_venue(silent: Silent, market: Market) -> None:
    assert coordinator.plan().planned
    coordinator.advance()
    assert Batch.objects.filter(market=market).exists()
    assert silent.connections == 0
    queues = {each.task: each.queue for each in PERIODIC}
    assert queues.get("batches.reserve") not in (None, queues["batches.plan"])


def test_a_venue_that_is_silent_is_asked_once_and_then_left_alone(
    silent: Silent, market: Market
) -> None:
    coordinator.plan()
    assert coordinator.reserve() == 0
    assert silent.connections == 1
    assert venues.at_hand() is None
    for _ in range(3):
        assert coordinator.reserve() == 0
    assert silent.connections == 1
    # For as long as it was said, in every process.
    assert 0 < client().ttl(venues.KEY) <= venues.LEFT_ALONE_S


def test_settlements_of_a_silent_venues_ticks_wait_for_it_once(silent: Silent) -> None:
    ticks = [
        Tick.objects.create(
            id=uuid7(), cadence_ms=600, number=number, status="CLEARED", lane=Lane.AOT
        )
        for number in range(3)
    ]
    assert lanes.send({tick.id: [b"transaction"] for tick in ticks}) == set()
    assert silent.connections == 1
    assert set(Tick.objects.values_list("lane", flat=True)) == {Lane.NORMAL}
    assert not Reservation.objects.exists()


def test_a_venue_that_answers_is_at_hand(silent: Silent) -> None:
    async def at_once() -> str:
        return "won"

    async def refused() -> str:
        raise Transient("not yet")

    assert venues.ask(at_once()) == "won"
    with pytest.raises(Transient):
        venues.ask(refused())
    assert venues.at_hand() is adapters.blockspace()


def test_without_redis_a_silent_venue_is_asked_again(silent: Silent) -> None:
    coordinator.reserve()
    assert venues.at_hand() is None
    client.cache_clear()
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        assert venues.at_hand() is not None
    client.cache_clear()
