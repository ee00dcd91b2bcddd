"""A chain that people have paused: nothing new leaves, and nothing is lost."""

import pytest

from fairlane.core import checkpoints, claims, switches
from stablecoin.models import Attempt, Request, Transaction
from stablecoin.stage_names import send
from stablecoin.tests import driving
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)

SWITCH = f"stablecoin.chain.{CHAIN}"


def turn(on: bool) -> None:
    switches.set_switch(name=SWITCH, on=on, by="user:ada", reason="an incident")


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def test_what_no_node_had_is_not_sent_while_people_pause(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was stored, and its process died before it was sent."""

    def kill(name: str) -> None:
        if name == "stablecoin.relay.stored":
            raise Killed

    (mint,) = driving.signed(outside)
    monkeypatch.setattr(checkpoints, "_observers", [kill])
    with pytest.raises(Killed):
        driving.relay()
    monkeypatch.setattr(checkpoints, "_observers", [])
    turn(on=False)
    driving.finish(outside)
    assert Attempt.objects.get().sent_at is None
    assert outside.supply == 0
    turn(on=True)
    driving.finish(outside)
    mint.refresh_from_db()
    assert mint.status == "COMPLETED"
    assert outside.supply == TOKEN


def test_what_is_under_way_is_followed_to_its_end(outside: Outside) -> None:
    (mint,) = driving.signed(outside)
    driving.relay()
    turn(on=False)
    driving.finish(outside)
    mint.refresh_from_db()
    assert mint.status == "COMPLETED"
    driving.assert_books_agree(outside)


def test_requests_that_wait_for_people_are_not_overdue(outside: Outside) -> None:
    """Else a pause would look as if the relayer were dead."""
    driving.signed(outside, 3)
    turn(on=False)
    assert claims.backlog()[send(CHAIN)][0] == 3
    driving.relay()
    assert send(CHAIN) not in claims.backlog()
    turn(on=True)
    driving.make_due()
    driving.finish(outside)
    assert Request.objects.filter(status="COMPLETED").count() == 3
    assert Transaction.objects.count() == 3
