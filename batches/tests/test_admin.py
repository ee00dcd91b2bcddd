"""The back office of batches, used as an operator does: through its pages."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from batches import acceptance, coordinator, pools, reconciliation
from batches.admin import deeds
from batches.models import (
    Account,
    Batch,
    BatchOrder,
    Direction,
    Market,
    Packet,
    Reservation,
    ReservationReceipt,
    Tick,
    Transfer,
    VaultBalance,
    VaultCheck,
    VaultEntry,
)
from batches.records import Side
from batches.states import OPEN_BATCH
from batches.tests import driving
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
from batches.tests.outside import BASE, OWNER_ADDRESSES, OWNERS, Chain
from fairlane.core import switches
from fairlane.core.errors import Problem
from fairlane.core.models import AuditEntry, Work
from orders.amounts import to_text

__all__ = ["office"]

MODELS = (
    "market",
    "batch",
    "batchorder",
    "tick",
    "reservation",
    "transfer",
    "packet",
    "vaultentry",
    "vaultbalance",
    "vaultcheck",
)


@pytest.fixture
def batch(chain: Chain, market: Market) -> Batch:
    """A settled one, in which two orders met; the buyer has something left."""
    buy = place(market, limit=510, quantity=10)
    sell = place(market, OWNERS[1], side=Side.SELL, limit=490, quantity=6)
    driving.escrowed(buy, sell)
    driving.run_until(lambda: driving.read(sell).status == "FILLED")
    return driving.settled(Batch.objects.get(fills__gt=0).id)


@pytest.fixture
def planned(market: Market) -> Batch:
    """One whose market has an open order, and that nothing is decided about."""
    order = place(market, quantity=3)
    driving.escrowed(order)
    return Batch.objects.filter(status="PLANNED").latest("number")


def keys_in(client: Client, model: str, **query: str) -> list[Any]:
    """What the list shows, with this search or these filters."""
    return [row.pk for row in client.get(rows_of(model), query).context["cl"].result_list]


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_for_those_who_may_see_it(
    client: Client, operator: User, model: str
) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    client.force_login(clerk)
    assert client.get(rows_of(model)).status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename=f"view_{model}"))
    text = text_of(client, rows_of(model))
    assert f'href="{rows_of(model)}"' in text
    assert client.get(reverse(f"admin:batches_{model}_add")).status_code == 403


def test_the_whole_way_of_a_batch_can_be_followed(office: Client, batch: Batch) -> None:
    text = text_of(office, page_of("batch", batch.id))
    for shown in ("0.51 USDC", "6 JUP", "3.06 USDC", "0.00612 USDC", OWNER_ADDRESSES[0], "buys"):
        assert shown in text
    assert bytes(batch.header or b"")[-32:].hex() in text
    sell = BatchOrder.objects.get(side=Side.SELL)
    assert f'href="{page_of("batchorder", sell.id)}"' in text
    assert f'href="{page_of("tick", batch.tick_id)}"' in text
    text = text_of(office, page_of("tick", batch.tick_id))
    for shown in (bytes(batch.tick.root or b"").hex(), f"JUP-USDC/{batch.number}"):
        assert shown in text
    settlement = Packet.objects.get(tick=batch.tick_id)
    assert f"{settlement.signature[:16]}…" in text
    text = text_of(office, page_of("packet", settlement.id))
    assert settlement.signature in text
    paid = Transfer.objects.get(batch=batch, wallet=OWNER_ADDRESSES[1])
    assert page_of("transfer", paid.id) in text
    text = text_of(office, page_of("transfer", paid.id))
    assert page_of("batch", batch.id) in text
    text = text_of(office, page_of("batchorder", sell.id))
    for shown in (str(sell), bytes(sell.receipt).hex(), "sell", "roll", "6 JUP", "0.49 USDC"):
        assert shown in text
    assert page_of("batch", batch.id) in text


def test_everything_is_found_by_its_names(office: Client, batch: Batch) -> None:
    order = BatchOrder.objects.get(side=Side.SELL)
    assert keys_in(office, "batch", q=f"JUP-USDC/{batch.number}") == [batch.id]
    assert keys_in(office, "batch", q=str(batch.number)) == [batch.id]
    assert keys_in(office, "batch", q=str(batch.id)) == [batch.id]
    assert keys_in(office, "batch", q=f"SOL-USDC/{batch.number}") == []
    assert keys_in(office, "batch", q="nothing") == []
    assert keys_in(office, "batch", q="9" * 30) == []
    for name in (str(batch.tick.number), str(batch.tick_id), batch.tick.anchor_signature):
        assert keys_in(office, "tick", q=name or "") == [batch.tick_id]
    for name in (str(order), order.wallet, str(order.id)):
        assert keys_in(office, "batchorder", q=name) == [order.id]
    (pull,) = Transfer.objects.filter(order=order)
    assert pull.packet
    assert keys_in(office, "transfer", q=str(order)) == [pull.id]
    assert keys_in(office, "transfer", q=str(pull.id)) == [pull.id]
    assert pull.id in keys_in(office, "transfer", q=pull.packet.signature)
    for name in (pull.packet.signature, str(pull.packet_id)):
        assert keys_in(office, "packet", q=name) == [pull.packet_id]
    entries = VaultEntry.objects.filter(reference=f"packet:{pull.packet_id}")
    assert set(keys_in(office, "vaultentry", q=f"packet:{pull.packet_id}")) == {
        entry.id for entry in entries
    }
    assert batch.id in keys_in(office, "batch", status="SETTLED", market="JUP-USDC")
    assert batch.id not in keys_in(office, "batch", status="VOIDED")
    assert keys_in(office, "batch", market="SOL-USDC") == []
    assert keys_in(office, "batchorder", status="FILLED") == [order.id]


def test_lists_cost_as_many_queries_however_long_they_are(office: Client, batch: Batch) -> None:
    def queries(model: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            office.get(rows_of(model))
        # What the pages of other apps remember for some seconds is not counted.
        asked = [q["sql"] for q in captured.captured_queries if '"batches_' in q["sql"]]
        assert not any('"leaves"' in sql for sql in asked)
        return len(asked)

    names = ("batch", "batchorder", "tick", "transfer", "packet", "vaultentry", "vaultbalance")
    before = {name: queries(name) for name in names}
    for _ in range(3):
        place(batch.market, limit=300)
    assert {name: queries(name) for name in names} == before


def test_a_market_is_paused_and_resumed_with_a_reason(office: Client, market: Market) -> None:
    address = deed("market", market.id, "pause")
    assert deed("market", market.id, "resume") not in text_of(office, page_of("market", market.id))
    assert "no batch takes orders in" in text_of(office, address)
    assert switches.is_on(market.switch)
    assert "is paused" in text_posted(office, address, REASON)
    assert not switches.is_on(market.switch)
    text = text_of(office, page_of("market", market.id))
    assert "the reference is off" in text
    assert address not in text
    assert "trades again" in text_posted(office, deed("market", market.id, "resume"), REASON)
    assert switches.is_on(market.switch)
    entries = AuditEntry.objects.filter(object=f"switch:{market.switch}").order_by("id")
    assert [(entry.action, entry.reason) for entry in entries] == [
        ("switch.set", "the reference is off")
    ] * 2


def test_a_market_is_closed_and_opened_again(office: Client, market: Market) -> None:
    order = place(market, limit=400)
    driving.escrowed(order)
    page, address = page_of("market", market.id), deed("market", market.id, "close")
    assert deed("market", market.id, "reopen") not in text_of(office, page)
    assert "new orders are refused" in text_of(office, address)
    assert "JUP-USDC is closed." in text_posted(office, address, REASON)
    assert address not in text_of(office, page)
    planned = Market.objects.get().planned_until
    # What is planned runs out; then nothing is, and the order can still be had back.
    driving.run_until(lambda: not Batch.objects.filter(status__in=OPEN_BATCH).exists())
    assert coordinator.plan().planned == 0
    assert Market.objects.get().planned_until == planned
    acceptance.cancel(order.id, reason="not wanted")
    driving.run_until(lambda: driving.read(order).status == "CANCELLED")
    driving.quiet()
    text_posted(office, deed("market", market.id, "reopen"), REASON)
    assert coordinator.plan().planned > 0
    entries = AuditEntry.objects.filter(object=f"market:{market.name}").order_by("id")
    assert [(entry.action, entry.reason) for entry in entries] == [
        ("market.close", "the reference is off"),
        ("market.reopen", "the reference is off"),
    ]


def test_a_pool_is_left_out_used_again_and_drained(office: Client, chain: Chain) -> None:
    market = chain.open_market(uses_pool=True, pool_fee_bps=30)
    page = page_of("market", market.id)
    assert deed("market", market.id, "drain_pool") not in text_of(office, page)
    amounts = {market.base_mint: 10**10, market.quote_mint: 5 * 10**9}
    pools.fund(market, wallet=OWNER_ADDRESSES[5], amounts=amounts, reference="1", by="tests")
    driving.quiet()
    assert "10000 JUP and 5000 USDC" in text_of(office, page)
    for name, uses in (("leave_pool", False), ("use_pool", True)):
        address = deed("market", market.id, name)
        assert address in text_of(office, page)
        text_posted(office, address, REASON)
        assert Market.objects.get().uses_pool is uses
        assert address not in text_of(office, page)
    address = deed("market", market.id, "drain_pool")
    assert f"paid to {OWNER_ADDRESSES[5]}" in text_posted(office, address, REASON)
    assert "the pool is empty" in text_posted(office, address, REASON)
    driving.quiet()
    entries = AuditEntry.objects.exclude(actor="tests").order_by("id")
    assert [(entry.action, entry.reason) for entry in entries] == [
        ("market.use_pool", "the reference is off"),
        ("market.use_pool", "the reference is off"),
        ("market.drain_pool", "the reference is off"),
    ]


def test_all_markets_of_a_page_are_paused_together(office: Client, chain: Chain) -> None:
    markets = [chain.open_market(name) for name in ("A-USDC", "B-USDC")]
    ticked = {"action": "pause_selected", "_selected_action": [str(m.id) for m in markets]}
    assert "A-USDC: trading" in text_posted(office, rows_of("market"), ticked)
    text_posted(office, rows_of("market"), ticked | REASON)
    assert not any(switches.is_on(market.switch) for market in markets)


def test_who_resumes_a_market_is_told_what_its_vault_lacks(
    office: Client, chain: Chain, market: Market
) -> None:
    in_ledger = chain.vault(BASE) + 2_500_000
    VaultBalance.objects.create(
        market=market, mint=market.base_mint, account=Account.VAULT, amount=in_ledger
    )
    reconciliation.check(market.base_mint, actor="test")
    switches.forget()
    assert not switches.is_on(market.switch)
    text = text_of(office, deed("market", market.id, "resume"))
    (check,) = VaultCheck.objects.exclude(differs_since=None)
    vault, ledger = (to_text(n, 6) for n in (int(check.on_chain), in_ledger))
    assert f"{vault} JUP in the vault, {ledger} JUP in the ledger" in text
    text = text_of(office, rows_of("vaultcheck"))
    assert "lacks" in text
    assert "-2.5" in text


def test_a_batch_is_rolled_with_a_reason(office: Client, planned: Batch) -> None:
    text = text_of(office, page_of("batch", planned.id))
    address = deed("batch", planned.id, "roll")
    assert address in text
    assert f"JUP-USDC/{planned.number}: PLANNED" in text_of(office, address)
    for name in ("roll", "void"):
        told = text_of(office, deed("batch", planned.id, name))
        assert "a commitment that nothing followed" in told
    assert Batch.objects.get(id=planned.id).status == "PLANNED"
    assert "is rolled" in text_posted(office, address, REASON)
    rolled = Batch.objects.get(id=planned.id)
    assert (rolled.status, rolled.reason) == ("ROLLED", "the reference is off")
    assert BatchOrder.objects.get().status == "OPEN"
    entry = AuditEntry.objects.get(action="batch.roll")
    assert (entry.object, entry.reason) == (f"batch:{planned.id}", "the reference is off")
    assert entry.actor.startswith("user:")
    # It stays as it is from here on.
    assert address not in text_of(office, page_of("batch", planned.id))
    assert "stays as it is" in text_posted(office, address, REASON)
    assert AuditEntry.objects.filter(action="batch.roll").count() == 1


def test_batches_are_voided_together(office: Client, planned: Batch) -> None:
    earlier = Batch.objects.filter(status="PLANNED").exclude(id=planned.id).latest("number")
    ids = [str(planned.id), str(earlier.id)]
    ticked = {"action": "void_selected", "_selected_action": ids}
    assert f"JUP-USDC/{earlier.number}: PLANNED" in text_posted(office, rows_of("batch"), ticked)
    assert "is called off" in text_posted(office, rows_of("batch"), ticked | REASON)
    voided = Batch.objects.filter(id__in=ids)
    assert {batch.status for batch in voided} == {"VOIDED"}
    assert AuditEntry.objects.filter(action="batch.void").count() == 2


def test_a_link_to_a_batch_that_is_gone_says_so(office: Client, market: Market) -> None:
    gone = uuid4()
    for address in (page_of("batch", gone), deed("batch", gone, "roll")):
        assert "one in which nobody had an order is not kept" in text_of(office, address)


def test_a_batch_that_is_gone_by_then_is_told(planned: Batch) -> None:
    """Empty ones leave no row behind when their tick closes."""
    key = str(planned.id)
    planned.delete()
    with pytest.raises(Problem) as refused:
        deeds.VOID.run(key, driving.TRADER, "why")
    assert refused.value.status == 404


def test_those_who_only_look_do_nothing(client: Client, operator: User, planned: Batch) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    names = ["view_batch", "view_market"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(clerk)
    for model, key, name in (
        ("batch", planned.id, "roll"),
        ("batch", planned.id, "void"),
        ("market", planned.market_id, "pause"),
    ):
        address = deed(model, key, name)
        assert address not in text_of(client, page_of(model, key))
        assert client.post(address, REASON).status_code == 403
    assert Batch.objects.get(id=planned.id).status == "PLANNED"
    assert not AuditEntry.objects.exists()


@pytest.fixture
def stuck(market: Market) -> Transfer:
    """A payout that a person has to look at."""
    packet = Packet.objects.create(
        id=uuid7(),
        direction=Direction.PAY,
        status="REVIEW",
        signature="5" * 88,
        transaction=b"\x01secret",
        first_slot=1,
        last_valid_block_height=2,
        error="it moved something else",
    )
    return Transfer.objects.create(
        id=uuid7(),
        direction=Direction.PAY,
        market=market,
        mint=market.quote_mint,
        wallet=OWNER_ADDRESSES[2],
        amount=1_250_000,
        status="REVIEW",
        packet=packet,
        position=0,
        reason="it moved something else",
    )


def test_what_is_in_review_is_a_click_away(office: Client, stuck: Transfer) -> None:
    listed = f"{rows_of('transfer')}?status=REVIEW"
    assert listed in text_of(office, reverse("admin:index"))
    text = text_of(office, listed)
    for shown in ("1.25 USDC", OWNER_ADDRESSES[2], "it moved something else"):
        assert shown in text
    assert keys_in(office, "transfer", status="DONE") == []
    assert keys_in(office, "packet", status="REVIEW") == [stuck.packet_id]
    text = text_of(office, page_of("packet", stuck.packet_id))
    assert page_of("transfer", stuck.id) in text
    assert "secret" not in text


def test_a_reservation_shows_what_the_venue_told(office: Client, db: None) -> None:
    tick = Tick.objects.create(id=uuid7(), cadence_ms=1_000, number=77)
    reservation = Reservation.objects.create(
        id=uuid7(), tick=tick, venue_id="bid-9", slot=500, units=10, price=3, state="WON"
    )
    ReservationReceipt.objects.create(
        seq=1, venue_id="bid-9", kind="pre-confirmation", slot=500, charged=42
    )
    ReservationReceipt.objects.create(seq=2, venue_id="another", kind="failed", reason="skipped")
    text = text_of(office, page_of("reservation", reservation.id))
    assert "pre-confirmation" in text
    assert "skipped" not in text
    assert page_of("tick", tick.id) in text
    assert page_of("reservation", reservation.id) in text_of(office, page_of("tick", tick.id))
    for name in ("bid-9", str(reservation.id)):
        assert keys_in(office, "reservation", q=name) == [reservation.id]
    assert keys_in(office, "reservation", q="nothing") == []
    assert keys_in(office, "reservation", state="LOST") == []


def test_work_leads_to_what_it_is_about(office: Client, db: None) -> None:
    for stage, model in (
        ("batches.close", "tick"),
        ("batches.pay", "transfer"),
        ("batches.land", "packet"),
    ):
        work = Work.objects.create(object_id=uuid7(), stage=stage, due_at=timezone.now())
        text = text_of(office, reverse("admin:core_work_changelist"), q=str(work.object_id))
        assert page_of(model, work.object_id) in text
