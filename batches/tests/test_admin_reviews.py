"""What is in review, helped along through the back office's pages."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from uuid_utils.compat import uuid7

from batches.models import BatchOrder, Direction, Market, Packet, Tick, Transfer
from batches.stage_names import CLOSE, LAND, PAY, PULL
from batches.tests.back_office import (
    REASON,
    deed,
    office,
    page_of,
    rows_of,
    text_of,
    text_posted,
)
from batches.tests.driving import place
from batches.tests.outside import OWNER_ADDRESSES
from fairlane.core.models import AuditEntry, Work

__all__ = ["office"]

DEEDS = ("look_again", "try_again", "pay_anyway")


def packet(status: str) -> Packet:
    id_ = uuid7()
    return Packet.objects.create(
        id=id_,
        direction=Direction.PAY,
        status=status,
        signature=str(id_),
        transaction=b"\x01",
        first_slot=1,
        last_valid_block_height=2,
        error="it moved something else",
    )


def payout(market: Market, status: str, carrier: Packet | None, reason: str = "") -> Transfer:
    return Transfer.objects.create(
        id=uuid7(),
        direction=Direction.PAY,
        market=market,
        mint=market.quote_mint,
        wallet=OWNER_ADDRESSES[2],
        amount=1_250_000,
        status=status,
        packet=carrier,
        position=None if carrier is None else 0,
        reason=reason,
    )


def put_aside(object_id: UUID, stage: str) -> None:
    Work.objects.create(
        object_id=object_id, stage=stage, last_error="KeyError: 7", quarantined_at=timezone.now()
    )


def offered(office: Client, transfer: Transfer) -> set[str]:
    text = text_of(office, page_of("transfer", transfer.id))
    return {name for name in DEEDS if deed("transfer", transfer.id, name) in text}


def stage_of(object_id: UUID) -> str:
    work = Work.objects.get(object_id=object_id)
    assert (work.attempts, work.quarantined_at) == (0, None)
    return work.stage


def test_only_what_makes_sense_for_a_transfer_is_offered(office: Client, market: Market) -> None:
    assert offered(office, payout(market, "DONE", packet("CONFIRMED"))) == set()
    assert offered(office, payout(market, "PACKED", packet("SIGNED"))) == set()
    assert offered(office, payout(market, "DUE", None)) == set()
    assert offered(office, payout(market, "DUE", None, "no account")) == {"pay_anyway"}
    assert offered(office, payout(market, "REVIEW", packet("REVIEW"))) == {"look_again"}
    again = {"try_again", "pay_anyway"}
    assert offered(office, payout(market, "REVIEW", packet("FAILED"))) == again
    assert offered(office, payout(market, "REVIEW", None)) == again


def test_a_transfer_is_looked_up_again_with_all_of_its_transaction(
    office: Client, market: Market
) -> None:
    carrier = packet("REVIEW")
    transfer = payout(market, "REVIEW", carrier, "it moved something else")
    put_aside(carrier.id, LAND)
    address = deed("transfer", transfer.id, "look_again")
    text = text_of(office, address)
    assert "1.25 USDC" in text and "it moved something else" in text
    assert Transfer.objects.get().status == "REVIEW"
    assert "is looked up again" in text_posted(office, address, REASON)
    found = Transfer.objects.select_related("packet").get()
    assert found.packet is not None
    assert (found.status, found.reason, found.packet.status) == ("PACKED", "", "SIGNED")
    assert stage_of(carrier.id) == LAND
    entry = AuditEntry.objects.get(action="packet.look")
    assert (entry.object, entry.reason) == (f"packet:{carrier.id}", "the reference is off")
    assert "is not under review" in text_posted(office, address, REASON)


def test_a_transaction_is_taken_as_it_is(office: Client, market: Market) -> None:
    carrier = packet("REVIEW")
    put_aside(carrier.id, LAND)
    text = text_of(office, page_of("packet", carrier.id))
    assert deed("packet", carrier.id, "look_again") in text
    assert "KeyError: 7" in text
    assert "is taken as it is" in text_posted(office, deed("packet", carrier.id, "accept"), REASON)
    found = Packet.objects.get()
    assert (found.status, found.accepted) == ("SIGNED", True)
    assert deed("packet", carrier.id, "accept") not in text_of(office, page_of("packet", found.id))


def test_payouts_of_a_page_are_tried_again_together(office: Client, market: Market) -> None:
    failed = payout(market, "REVIEW", packet("FAILED"), "frozen")
    unknown = payout(market, "REVIEW", packet("REVIEW"), "unknown")
    ids = [str(failed.id), str(unknown.id)]
    ticked = {"action": "try_again_selected", "_selected_action": ids}
    text = text_posted(office, rows_of("transfer"), ticked | REASON)
    assert "The transfer is tried again" in text
    assert "may have landed" in text
    again = Transfer.objects.get(id=failed.id)
    assert (again.status, again.packet, again.tries) == ("DUE", None, 0)
    assert stage_of(failed.id) == PAY
    assert Transfer.objects.get(id=unknown.id).status == "REVIEW"
    assert AuditEntry.objects.filter(action="transfer.again").count() == 1


def test_an_order_goes_on_where_its_pull_was_put_aside(office: Client, market: Market) -> None:
    order = place(market)
    pull = Transfer.objects.get()
    Transfer.objects.update(status="REVIEW", reason="stuck")
    BatchOrder.objects.update(status="REVIEW", reason="stuck")
    Work.objects.filter(object_id=pull.id).delete()
    put_aside(pull.id, PULL)
    assert "stuck" in text_of(office, page_of("batchorder", order.id))
    assert "KeyError: 7" in text_of(office, page_of("transfer", pull.id))
    address = deed("batchorder", order.id, "go_on")
    assert "The order goes on" in text_posted(office, address, REASON)
    assert BatchOrder.objects.get().status == "ESCROWING"
    assert (Transfer.objects.get().status, stage_of(pull.id)) == ("DUE", PULL)
    assert address not in text_of(office, page_of("batchorder", order.id))


def test_a_tick_shows_what_it_failed_of_and_goes_on(office: Client, db: None) -> None:
    tick = Tick.objects.create(id=uuid7(), cadence_ms=1_000, number=77, status="REVIEW")
    put_aside(tick.id, CLOSE)
    assert "KeyError: 7" in text_of(office, page_of("tick", tick.id))
    address = deed("tick", tick.id, "go_on")
    assert "KeyError: 7" in text_of(office, address)
    assert "The tick goes on" in text_posted(office, address, REASON)
    assert (Tick.objects.get().status, stage_of(tick.id)) == ("PLANNED", CLOSE)
    assert address not in text_of(office, page_of("tick", tick.id))


def test_those_who_only_look_let_nothing_go_on(
    client: Client, operator: User, market: Market
) -> None:
    transfer = payout(market, "REVIEW", None)
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_transfer"))
    client.force_login(clerk)
    assert offered(client, transfer) == set()
    for name in DEEDS:
        assert client.post(deed("transfer", transfer.id, name), REASON).status_code == 403
    assert Transfer.objects.get().status == "REVIEW"
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("model", ["transfer", "packet", "tick", "batchorder"])
def test_lists_of_what_is_in_review_open(office: Client, db: None, model: str) -> None:
    assert "REVIEW" in text_of(office, rows_of(model), status="REVIEW")
