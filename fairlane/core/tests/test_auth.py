from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from fairlane.core import auth, credentials, keys, redis_clients, tickets, usage
from fairlane.core.credentials import Credentials
from fairlane.core.errors import Problem
from fairlane.core.models.access import ApiKey, AuditEntry
from fairlane.core.principals import SCOPES
from fairlane.core.tests.access_fixtures import IssueKey
from fairlane.core.threads import in_thread


def sent(**parts: object) -> Credentials:
    values: dict[str, object] = {
        "authorization": "",
        "session_key": "",
        "ticket": "",
        "changes_state": False,
        "host": "localhost:8000",
        "secure": False,
        "origin": "",
        "fetch_site": "",
    }
    return Credentials(**(values | parts))  # type: ignore[arg-type]


def bearer(key: str) -> Credentials:
    return sent(authorization=f"Bearer {key}")


def refusal(of: Credentials) -> tuple[int, str]:
    with pytest.raises(Problem) as caught:
        auth.authenticate(of)
    return caught.value.status, caught.value.code


@pytest.fixture
def session_key(client: Client, operator: User) -> str:
    client.force_login(operator)
    return str(client.session.session_key)


def test_a_key_says_who_calls_and_what_they_may_do(issue_key: IssueKey) -> None:
    key, plain = issue_key("orders:read", wallets=["W1"], throttle_exempt=True)
    principal = auth.authenticate(bearer(plain))
    assert (principal.ref, principal.name) == (f"key:{key.pk}", "test")
    assert principal.scopes == {"orders:read"}
    assert (principal.may_act_for("W1"), principal.may_act_for("W2")) == (True, False)
    assert principal.throttle_exempt


def test_a_key_is_not_stored(issue_key: IssueKey) -> None:
    key, plain = issue_key()
    key.refresh_from_db()
    assert plain not in str(vars(key))
    assert plain.startswith(key.prefix)


@pytest.mark.parametrize("header", ["Bearer x", "Basic abc", "Bearer", "Bearer flk_" + "a" * 43])
def test_what_is_no_key_of_ours_is_refused(header: str, db: None) -> None:
    assert refusal(sent(authorization=header)) == (401, "not_authenticated")


def test_nobody_is_refused(db: None) -> None:
    assert refusal(sent()) == (401, "not_authenticated")


def test_an_expired_key_is_refused(issue_key: IssueKey) -> None:
    _, plain = issue_key(expires_at=timezone.now() - timedelta(seconds=1))
    assert refusal(bearer(plain))[0] == 401


def test_a_revoked_key_is_refused_when_the_process_has_forgotten_it(issue_key: IssueKey) -> None:
    key, plain = issue_key()
    auth.authenticate(bearer(plain))
    keys.revoke(key_id=key.pk, by="test")
    auth.forget()
    assert refusal(bearer(plain))[0] == 401


def test_a_known_key_costs_no_query(
    issue_key: IssueKey, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _, plain = issue_key()
    auth.authenticate(bearer(plain))
    with django_assert_num_queries(0):
        auth.authenticate(bearer(plain))


def test_a_key_is_not_known_for_longer_than_it_lives(issue_key: IssueKey) -> None:
    key, _ = issue_key(expires_at=timezone.now() + timedelta(seconds=1))
    assert 0 < auth._ttl_s(key, timezone.now()) <= 1
    key.expires_at = None
    assert auth._ttl_s(key, timezone.now()) == auth.KEY_TTL_S


def test_a_rotated_key_works_beside_its_successor_until_the_overlap_ends(
    issue_key: IssueKey,
) -> None:
    old, old_plain = issue_key("orders:read", "orders:write", wallets=["W1"])
    new, new_plain = keys.rotate(key_id=old.pk, overlap=timedelta(hours=1), by="test")
    assert auth.authenticate(bearer(old_plain)).id == str(old.pk)
    assert auth.authenticate(bearer(new_plain)).scopes == {"orders:read", "orders:write"}
    ApiKey.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    auth.forget()
    assert refusal(bearer(old_plain))[0] == 401
    assert auth.authenticate(bearer(new_plain)).id == str(new.pk)
    with pytest.raises(Problem):
        keys.rotate(key_id=old.pk, overlap=timedelta(hours=1), by="test")


def test_the_life_of_a_key_is_audited(issue_key: IssueKey) -> None:
    key, plain = issue_key()
    keys.revoke(key_id=key.pk, by="ann", reason="leaked")
    entries = AuditEntry.objects.filter(object=f"key:{key.pk}").order_by("id")
    assert [entry.action for entry in entries] == ["key.issue", "key.revoke"]
    assert plain not in str(list(entries.values()))


def test_an_unknown_scope_is_refused(issue_key: IssueKey) -> None:
    with pytest.raises(Problem) as caught:
        issue_key("orders:all")
    assert caught.value.errors[0].code == "unknown_scope"
    assert not ApiKey.objects.exists()


def test_uses_are_written_in_batches(issue_key: IssueKey) -> None:
    usage.flush()
    key, plain = issue_key()
    auth.authenticate(bearer(plain))
    key.refresh_from_db()
    assert key.last_used_at is None
    usage.flush()
    key.refresh_from_db()
    assert key.last_used_at is not None


def test_a_session_reads(session_key: str) -> None:
    principal = auth.authenticate(sent(session_key=session_key))
    assert (principal.kind, principal.name) == ("user", "operator")
    assert principal.may_act_for("any wallet")


@pytest.mark.parametrize(
    ("origin", "site", "allowed"),
    [
        ("http://localhost:8000", "", True),
        ("http://localhost:8000", "same-origin", True),
        ("", "same-origin", True),
        ("", "", False),
        ("null", "", False),
        ("https://localhost:8000", "", False),
        ("http://localhost:9000", "", False),
        ("http://evil.example", "", False),
        ("http://evil.example", "same-origin", False),
        ("http://localhost:8000", "same-site", False),
        ("", "cross-site", False),
        ("", "none", False),
    ],
)
def test_a_session_changes_state_only_from_our_own_pages(
    origin: str, site: str, allowed: bool, session_key: str
) -> None:
    request = sent(session_key=session_key, changes_state=True, origin=origin, fetch_site=site)
    if allowed:
        assert auth.authenticate(request).kind == "user"
    else:
        assert refusal(request) == (403, "cross_origin")


def test_a_host_that_is_not_ours_is_no_origin_of_ours(session_key: str) -> None:
    request = sent(
        session_key=session_key,
        changes_state=True,
        host="evil.example",
        origin="http://evil.example",
    )
    assert refusal(request) == (403, "cross_origin")


def test_a_session_ends_with_its_user(session_key: str, operator: User) -> None:
    operator.is_active = False
    operator.save()
    assert refusal(sent(session_key=session_key))[0] == 401


def test_staff_have_the_rights_that_the_back_office_gave_them(db: None) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    assert auth.principal_of_user(clerk).scopes == {"quotes:read", "metrics:read"}
    clerk.user_permissions.add(Permission.objects.get(codename="view_order"))
    principal = auth.refresh(f"user:{clerk.pk}")
    assert principal.scopes == {"quotes:read", "metrics:read", "orders:read"}
    assert principal.may_act_for("W1")


def test_an_operator_may_do_everything(operator: User) -> None:
    assert auth.principal_of_user(operator).scopes == SCOPES.keys()


def test_a_user_who_is_not_staff_acts_for_no_wallet(db: None) -> None:
    principal = auth.principal_of_user(User.objects.create_user("visitor"))
    assert not principal.may_act_for("W1")
    with pytest.raises(Problem) as caught:
        principal.require("orders:write")
    assert caught.value.status == 403


def test_a_handshake_is_checked_like_a_post_and_may_carry_a_ticket() -> None:
    scope = {
        "type": "websocket",
        "scheme": "ws",
        "query_string": b"ticket=abc&since=3",
        "headers": [
            (b"host", b"localhost:8000"),
            (b"origin", b"http://localhost:8000"),
            (b"cookie", b"a=b; sessionid=s1"),
        ],
    }
    found = credentials.from_scope(scope)
    assert (found.ticket, found.session_key, found.changes_state) == ("abc", "s1", True)
    credentials.require_same_origin(found)


def test_a_ticket_is_for_handshakes_only() -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "query_string": b"ticket=abc",
        "headers": [],
    }
    assert credentials.from_scope(scope).ticket == ""


def test_a_ticket_works_once(issue_key: IssueKey) -> None:
    key, plain = issue_key("orders:read", wallets=["W1"])
    ticket = tickets.issue(auth.authenticate(bearer(plain)))
    principal = auth.authenticate(sent(ticket=ticket))
    assert (principal.id, principal.wallets) == (str(key.pk), frozenset({"W1"}))
    assert refusal(sent(ticket=ticket)) == (401, "not_authenticated")


def test_a_ticket_of_a_revoked_key_opens_nothing(issue_key: IssueKey) -> None:
    key, plain = issue_key()
    ticket = tickets.issue(auth.authenticate(bearer(plain)))
    keys.revoke(key_id=key.pk, by="test")
    assert refusal(sent(ticket=ticket))[0] == 401


def test_without_redis_there_are_no_tickets(issue_key: IssueKey, settings: Settings) -> None:
    principal = auth.authenticate(bearer(issue_key()[1]))
    redis_clients.client.cache_clear()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    try:
        with pytest.raises(Problem) as caught:
            tickets.issue(principal)
        assert caught.value.status == 503
        assert refusal(sent(ticket="abc"))[0] == 503
    finally:
        redis_clients.client.cache_clear()


def test_a_caller_is_asked_for_again_by_its_ref(operator: User) -> None:
    assert auth.refresh(f"user:{operator.pk}").name == "operator"
    operator.is_active = False
    operator.save()
    with pytest.raises(Problem) as caught:
        auth.refresh(f"user:{operator.pk}")
    assert caught.value.status == 401


def test_a_wallet_that_is_not_the_callers_is_refused(issue_key: IssueKey) -> None:
    principal = auth.authenticate(bearer(issue_key(wallets=["W1"])[1]))
    principal.require_wallet("W1")
    with pytest.raises(Problem) as caught:
        principal.require_wallet("W2")
    assert (caught.value.status, caught.value.code) == (403, "wallet_not_allowed")


def test_behind_our_proxy_the_scheme_is_the_one_it_names(settings: Settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = [(b"host", b"localhost"), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "method": "POST", "scheme": "http", "headers": headers}
    assert credentials.from_scope(scope).secure
    assert not credentials.from_scope(scope | {"headers": headers[:1]}).secure


@pytest.mark.django_db(transaction=True)
async def test_the_event_loop_gets_the_same_answers(issue_key: IssueKey) -> None:
    key, plain = await in_thread(issue_key)("orders:read")
    principal = await auth.aauthenticate(bearer(plain))
    assert principal.id == str(key.pk)
    ticket = await in_thread(tickets.issue)(principal)
    assert await auth.aauthenticate(sent(ticket=ticket)) == principal
    with pytest.raises(Problem):
        await auth.aauthenticate(sent(ticket=ticket))
    with pytest.raises(Problem):
        await auth.aauthenticate(sent())
