"""The back office of the kernel, used as an operator does: through its pages."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from fairlane.core import auth, keys, switches
from fairlane.core.credentials import Credentials, digest
from fairlane.core.errors import Problem
from fairlane.core.models import ApiKey, AuditEntry, Event, Heartbeat, Switch, Work

REASON = {"confirmed": "yes", "reason": "the maker asked for it"}
NEW_KEY = {"name": "desk", "scopes": ["orders:read", "quotes:read"], "wallets": "aaa\nbbb"}
PASSWORD = "correct horse battery"


@pytest.fixture
def office(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def staff(client: Client, *permissions: str) -> Client:
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def text_of(answer: object) -> str:
    return str(answer.content, "utf-8")  # type: ignore[attr-defined]


def plain_key_in(text: str) -> str:
    (key,) = re.findall(r"flk_[A-Za-z0-9_-]{43}", text)
    return str(key)


def works(key: str) -> bool:
    auth.forget()
    try:
        auth.authenticate(Credentials(f"Bearer {key}", "", "", False, "testserver", False, "", ""))
    except Problem:
        return False
    return True


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


# Coming in


def test_strangers_are_sent_to_the_one_sign_in(client: Client, db: None) -> None:
    answer = client.get("/admin/core/work/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/sign-in?next=")


def test_the_back_office_takes_no_password_itself(client: Client, operator: User) -> None:
    """Its form would let anybody guess passwords past the throttle."""
    client.post("/admin/login/", {"username": operator.username, "password": PASSWORD})
    assert not Session.objects.exists()


def test_people_who_are_not_staff_are_turned_away(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("trader"))
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "page",
    [
        "core_apikey",
        "core_auditentry",
        "core_event",
        "core_heartbeat",
        "core_switch",
        "core_work",
        "auth_user",
        "auth_group",
        "django_celery_beat_periodictask",
        "django_celery_beat_intervalschedule",
        "django_celery_beat_crontabschedule",
    ],
)
def test_every_list_opens_for_operators_only(client: Client, operator: User, page: str) -> None:
    address = reverse(f"admin:{page}_changelist")
    staff(client)
    assert client.get(address).status_code == 403
    client.force_login(operator)
    assert client.get(address).status_code == 200


# API keys


def test_a_new_key_is_shown_once_and_kept_nowhere(office: Client) -> None:
    answer = office.post(reverse("admin:core_apikey_add"), NEW_KEY)
    plain = plain_key_in(text_of(answer))
    key = ApiKey.objects.get()
    assert key.digest == digest(plain)
    assert (key.scopes, key.wallets) == (["orders:read", "quotes:read"], ["aaa", "bbb"])
    assert works(plain)
    assert "no-store" in answer["Cache-Control"]
    assert "messages" not in answer.cookies
    assert plain not in str(Session.objects.get().get_decoded())
    assert not any(plain in str(entry) for entry in AuditEntry.objects.values())
    for page in (reverse("admin:core_apikey_changelist"), f"/admin/core/apikey/{key.pk}/change/"):
        assert plain not in text_of(office.get(page))
    assert actions() == ["key.issue"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ["orders:own"]},
        {"scopes": []},
        {"wallets": "a" * 65},
        {"expires_at_0": "2001-01-01", "expires_at_1": "00:00:00"},
    ],
)
def test_a_key_that_makes_no_sense_is_not_issued(office: Client, wrong: dict[str, str]) -> None:
    answer = office.post(reverse("admin:core_apikey_add"), NEW_KEY | wrong)
    assert answer.status_code == 200
    assert "flk_" not in text_of(answer)
    assert not ApiKey.objects.exists()


def test_issuing_needs_the_right_to_add(client: Client, db: None) -> None:
    staff(client, "view_apikey", "change_apikey")
    assert client.post(reverse("admin:core_apikey_add"), NEW_KEY).status_code == 403
    assert not ApiKey.objects.exists()


def a_key() -> tuple[ApiKey, str]:
    return keys.issue(name="desk", scopes=["orders:read"], wallets=["aaa"], by="test")


def test_rotation_shows_a_successor_and_ends_the_old_key_after_the_overlap(
    office: Client,
) -> None:
    old, old_plain = a_key()
    address = reverse("admin:core_apikey_rotate", args=[old.pk])
    assert "flk_" not in text_of(office.get(address)).replace(old.prefix, "")
    answer = office.post(address, {"confirmed": "yes", "overlap_hours": "2"})
    plain = plain_key_in(text_of(answer).replace(f"{old.prefix}…", ""))
    old.refresh_from_db()
    assert old.successor is not None
    assert old.successor.digest == digest(plain)
    assert old.expires_at is not None
    assert timedelta(hours=1.9) < old.expires_at - timezone.now() <= timedelta(hours=2)
    assert works(plain)
    assert works(old_plain)
    assert actions() == ["key.issue", "key.issue", "key.rotate"]


def test_a_key_with_a_successor_is_not_rotated_again(office: Client) -> None:
    old, _ = a_key()
    keys.rotate(key_id=old.pk, overlap=timedelta(hours=1), by="test")
    address = reverse("admin:core_apikey_rotate", args=[old.pk])
    answer = office.post(address, {"confirmed": "yes", "overlap_hours": "2"})
    assert "has ended or has a successor" in text_of(answer)
    assert ApiKey.objects.count() == 2


def test_revoking_ends_a_key(office: Client) -> None:
    key, plain = a_key()
    answer = office.post(reverse("admin:core_apikey_revoke", args=[key.pk]), REASON, follow=True)
    assert f"Key {key.pk} is revoked." in text_of(answer)
    assert not works(plain)
    assert AuditEntry.objects.latest("id").reason == REASON["reason"]


def test_selected_keys_are_revoked_together(office: Client) -> None:
    ended, kept = a_key()[0], a_key()[0]
    ticked = {"action": "revoke_selected", "_selected_action": [ended.pk]}
    office.post(reverse("admin:core_apikey_changelist"), ticked | REASON)
    assert set(ApiKey.objects.filter(revoked_at=None)) == {kept}


def test_a_key_cannot_be_edited_or_deleted(office: Client) -> None:
    key, _ = a_key()
    page = reverse("admin:core_apikey_change", args=[key.pk])
    office.post(page, {"name": "other", "scopes": ["metrics:read"], "digest": "0" * 64})
    assert office.post(reverse("admin:core_apikey_delete", args=[key.pk])).status_code == 403
    unchanged = ApiKey.objects.get()
    assert (unchanged.name, unchanged.scopes, unchanged.digest) == ("desk", key.scopes, key.digest)


@pytest.mark.parametrize("deed", ["rotate", "revoke"])
def test_looking_at_keys_does_not_allow_to_end_them(client: Client, db: None, deed: str) -> None:
    key, plain = a_key()
    staff(client, "view_apikey")
    address = reverse(f"admin:core_apikey_{deed}", args=[key.pk])
    assert client.post(address, REASON | {"overlap_hours": "0"}).status_code == 403
    assert works(plain)


# Switches


def test_switches_nobody_ever_touched_are_listed(office: Client) -> None:
    text = text_of(office.get(reverse("admin:core_switch_changelist")))
    assert "orders.intake" in text
    assert "venue.raydium" in text
    assert not Switch.objects.exists()


def test_a_part_is_paused_and_resumed_with_a_reason(office: Client) -> None:
    pause = reverse("admin:core_switch_pause", args=["venue.raydium"])
    office.post(pause, {"confirmed": "yes", "reason": ""})
    switches.forget()
    assert switches.is_on("venue.raydium")
    answer = office.post(pause, REASON, follow=True)
    assert "venue.raydium is paused." in text_of(answer)
    assert REASON["reason"] in text_of(answer)
    switches.forget()
    assert not switches.is_on("venue.raydium")
    office.post(reverse("admin:core_switch_resume", args=["venue.raydium"]), REASON)
    switches.forget()
    assert switches.is_on("venue.raydium")
    assert actions() == ["switch.set", "switch.set"]


def test_only_known_switches_are_turned(office: Client) -> None:
    address = reverse("admin:core_switch_pause", args=["venue.nobody"])
    assert office.post(address, REASON).status_code == 404
    assert not Switch.objects.exists()


def test_looking_at_switches_does_not_allow_to_turn_them(client: Client, db: None) -> None:
    staff(client, "view_switch")
    page = text_of(client.get(reverse("admin:core_switch_changelist")))
    pause = reverse("admin:core_switch_pause", args=["orders.intake"])
    assert pause not in page
    assert client.post(pause, REASON).status_code == 403
    assert not Switch.objects.exists()


# Records


def test_events_and_work_lead_to_their_object(office: Client) -> None:
    order, other = uuid4(), uuid4()
    for object_id in (order, other):
        Event.objects.create(kind="order", object_id=object_id, seq=1, status="PENDING", wallet="w")
        Work.objects.create(object_id=object_id, stage="orders.route")
    for model in ("event", "work"):
        text = text_of(office.get(f"/admin/core/{model}/", {"q": str(order)}))
        assert reverse("admin:orders_order_change", args=[order]) in text
        assert str(other) not in text


def test_work_tells_its_state(office: Client) -> None:
    later, now = timezone.now() + timedelta(hours=1), timezone.now()
    for values in (
        {"quarantined_at": now, "last_error": "<b>broken</b>"},
        {"claim_id": UUID(int=1), "due_at": later},
        {"due_at": now},
        {"due_at": later},
    ):
        Work.objects.create(object_id=uuid4(), stage="orders.route", **values)
    text = text_of(office.get("/admin/core/work/"))
    for state in ("quarantined", "held", "due", "waiting"):
        assert re.search(rf"\n{state}\n", text)
    assert "<b>broken" not in text


def test_a_silent_queue_stands_out(office: Client) -> None:
    Heartbeat.objects.create(queue="orders", worker="a", at=timezone.now())
    assert "silent" not in text_of(office.get("/admin/core/heartbeat/"))
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=5))
    assert "silent" in text_of(office.get("/admin/core/heartbeat/"))


@pytest.mark.parametrize("model", ["auditentry", "event", "work", "heartbeat"])
def test_records_are_not_added(office: Client, model: str) -> None:
    assert office.get(f"/admin/core/{model}/add/").status_code == 403


def test_an_audit_entry_is_found_by_its_object_and_stays_as_it_is(office: Client) -> None:
    switches.set_switch(name="orders.intake", on=False, by="test", reason="noise")
    entry = AuditEntry.objects.get()
    page = "/admin/core/auditentry/"
    assert "noise" in text_of(office.get(page, {"q": "switch:orders.intake"}))
    assert "noise" not in text_of(office.get(page, {"q": "switch:other"}))
    office.post(f"{page}{entry.pk}/change/", {"reason": "another"})
    assert office.post(f"{page}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert AuditEntry.objects.get().reason == "noise"


# People and schedule


def test_changes_of_people_are_audited_without_their_passwords(office: Client) -> None:
    secret = "a long enough secret"
    office.post(
        "/admin/auth/user/add/",
        {"username": "clerk", "password1": secret, "password2": secret, "usable_password": "true"},
    )
    clerk = User.objects.get(username="clerk")
    office.post(f"/admin/auth/user/{clerk.pk}/change/", {"username": "clerk", "is_staff": "on"})
    office.post(
        f"/admin/auth/user/{clerk.pk}/password/",
        {"password1": secret + "2", "password2": secret + "2", "usable_password": "true"},
    )
    clerk.refresh_from_db()
    assert clerk.is_staff
    assert clerk.check_password(secret + "2")
    office.post(f"/admin/auth/user/{clerk.pk}/delete/", {"post": "yes"})
    assert actions() == ["user.add", "user.change", "user.change", "user.delete"]
    assert secret not in str(list(AuditEntry.objects.values()))
    assert AuditEntry.objects.order_by("id")[1].after == {"is_staff": True, "is_active": False}


def test_clerks_do_not_raise_themselves_or_take_over_superusers(
    client: Client, operator: User
) -> None:
    staff(client, "view_user", "change_user", "delete_user")
    clerk = User.objects.get(username="clerk")
    client.post(
        f"/admin/auth/user/{clerk.pk}/change/",
        {"username": "clerk", "is_active": "on", "is_superuser": "on"},
    )
    clerk.refresh_from_db()
    assert not clerk.is_superuser
    new = {"password1": "taken over by me", "password2": "taken over by me"}
    for page in ("password", "delete"):
        answer = client.post(f"/admin/auth/user/{operator.pk}/{page}/", new | {"post": "yes"})
        assert answer.status_code == 403
    operator.refresh_from_db()
    assert operator.check_password(PASSWORD)


def test_a_periodic_task_is_switched_off_with_an_audit_entry(office: Client) -> None:
    every, _ = IntervalSchedule.objects.get_or_create(every=7, period=IntervalSchedule.SECONDS)
    task = PeriodicTask.objects.create(name="sweep", task="core.sweep", interval=every)
    form = {"name": "sweep", "task": "core.sweep", "interval": every.pk, "args": "[]"}
    page = f"/admin/django_celery_beat/periodictask/{task.pk}/change/"
    assert office.post(page, form | {"kwargs": "{}", "headers": "{}"}).status_code == 302
    task.refresh_from_db()
    assert not task.enabled
    assert AuditEntry.objects.get().action == "periodictask.change"
