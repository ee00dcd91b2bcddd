import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient, Client
from pytest_django import Settings

from fairlane.core import auth, gauges, health, redis_clients, sign_in_links
from fairlane.core.credentials import Credentials
from fairlane.core.models.access import SignInLink
from fairlane.core.rates import Rate
from fairlane.core.tests.access_fixtures import IssueKey

pytestmark = [pytest.mark.urls("fairlane.core.tests.doors"), pytest.mark.django_db]


@pytest.fixture
def calm() -> Client:
    """A client that shows the 500 instead of raising what caused it."""
    return Client(raise_request_exception=False)


def post(client: Client, plain: str, body: str, content_type: str = "application/json") -> Any:
    return client.post(
        "/api/echo",
        body,
        content_type=content_type,
        headers={"Authorization": f"Bearer {plain}"},
    )


def test_a_view_sees_its_caller_and_every_digit(client: Client, issue_key: IssueKey) -> None:
    key, plain = issue_key("orders:write")
    answer = post(client, plain, '{"a": 0.1000000000000000000001, "b": 123456789012345678901234}')
    assert answer.json() == {
        "who": f"key:{key.pk}",
        "data": {"a": "Decimal('0.1000000000000000000001')", "b": "123456789012345678901234"},
    }


@pytest.mark.parametrize("body", ["{", '{"a": NaN}', "[" * 100_000, b"\xff".decode("latin-1")])
def test_a_body_that_is_no_json_is_a_400(body: str, calm: Client, issue_key: IssueKey) -> None:
    _, plain = issue_key("orders:write")
    answer = post(calm, plain, body)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["code"] == "malformed_json"


def test_another_content_type_is_a_400(client: Client, issue_key: IssueKey) -> None:
    _, plain = issue_key("orders:write")
    answer = post(client, plain, "a=1", "application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_content_type")


def test_a_missing_scope_is_a_403(client: Client, issue_key: IssueKey) -> None:
    _, plain = issue_key("orders:read")
    answer = post(client, plain, "{}")
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


def test_no_key_is_a_401_with_a_challenge(client: Client) -> None:
    answer = client.post("/api/echo", {}, content_type="application/json")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_another_method_is_a_405(client: Client, issue_key: IssueKey) -> None:
    _, plain = issue_key("orders:write")
    answer = client.get("/api/echo", headers={"Authorization": f"Bearer {plain}"})
    assert (answer.status_code, answer["Content-Type"]) == (405, "application/problem+json")


def test_guessing_keys_is_throttled(client: Client, settings: Settings) -> None:
    settings.THROTTLE_ADDRESS = Rate(3, 3_600_000)
    statuses = [post(client, f"flk_{'a' * 42}{n}", "{}").status_code for n in range(4)]
    assert statuses == [401, 401, 401, 429]


def test_a_throttled_caller_is_told_when_to_come_back(
    client: Client, issue_key: IssueKey, settings: Settings
) -> None:
    settings.THROTTLE_KEY = Rate(1, 3_600_000)
    _, plain = issue_key("orders:write")
    assert post(client, plain, "{}").status_code == 200
    answer = post(client, plain, "{}")
    assert (answer.status_code, int(answer["Retry-After"]) > 3_500) == (429, True)


@pytest.mark.parametrize(
    ("path", "kind"), [("/api/broken", "application/problem+json"), ("/broken", "text/html")]
)
def test_a_500_tells_nothing(path: str, kind: str, calm: Client) -> None:
    answer = calm.get(path)
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (500, kind)
    assert b"hunter2" not in answer.content
    assert answer["X-Request-ID"].encode() in answer.content


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/api/refusing", "application/problem+json", 409),
        ("/refusing", "text/html", 409),
        ("/api/nowhere", "application/problem+json", 404),
        ("/nowhere", "text/html", 404),
    ],
)
def test_programs_get_json_and_people_a_page(
    path: str, kind: str, status: int, client: Client
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (status, kind)


def test_a_host_that_is_not_ours_is_a_400(calm: Client) -> None:
    answer = calm.get("/api/echo", headers={"Host": "evil.example"})
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_a_sane_request_id_is_kept_and_another_replaced(client: Client) -> None:
    kept = client.get("/request-id", headers={"X-Request-ID": "my-request-1"})
    assert (kept["X-Request-ID"], kept.content) == ("my-request-1", b"my-request-1")
    replaced = client.get("/request-id", headers={"X-Request-ID": "x" * 200})
    assert len(replaced["X-Request-ID"]) == 32


async def test_the_event_loop_serves_the_same(async_client: AsyncClient) -> None:
    answer = await async_client.get("/request-id", headers={"X-Request-ID": "my-request-2"})
    assert answer.content == b"my-request-2"
    assert answer["X-Request-ID"] == "my-request-2"
    assert "script-src 'self';" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"


async def test_static_files_come_whole_from_the_event_loop(async_client: AsyncClient) -> None:
    answer = await async_client.get("/static/admin/css/base.css")
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (200, "text/css")
    assert len(answer.content) == int(answer["Content-Length"]) > 1_000
    assert (await async_client.get("/static/nowhere.css")).status_code == 404


def test_a_link_signs_in_once(client: Client, operator: User) -> None:
    path = sign_in_links.create(operator)
    assert client.get(path).status_code == 200
    assert client.get(path).status_code == 200
    answer = client.post(path)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(operator.pk)
    stranger = Client()
    assert stranger.post(path).status_code == 410
    assert stranger.get(path).status_code == 410
    assert "_auth_user_id" not in stranger.session


def test_a_link_expires(client: Client, operator: User) -> None:
    path = sign_in_links.create(operator)
    link = SignInLink.objects.get()
    SignInLink.objects.update(expires_at=link.created_at)
    assert client.post(path).status_code == 410
    assert sign_in_links.purge() == 1


def test_a_link_needs_the_forms_token(operator: User) -> None:
    client = Client(enforce_csrf_checks=True)
    path = sign_in_links.create(operator)
    assert client.post(path).status_code == 403
    token = client.get(path).context["csrf_token"]
    assert client.post(path, {"csrfmiddlewaretoken": str(token)}).status_code == 302


def test_a_password_signs_in_and_out(client: Client, operator: User) -> None:
    form = {"username": "operator", "password": "correct horse battery"}
    assert client.post("/sign-in", form | {"password": "wrong"}).status_code == 200
    answer = client.post("/sign-in?next=https://evil.example", form)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.post("/sign-out")["Location"] == "/sign-in"
    assert "_auth_user_id" not in client.session


def test_guessing_passwords_is_throttled(client: Client, settings: Settings) -> None:
    settings.THROTTLE_SIGN_IN = Rate(2, 3_600_000)
    form = {"username": "operator", "password": "wrong"}
    assert [client.post("/sign-in", form).status_code for _ in range(3)] == [200, 200, 429]


def test_guessing_links_is_throttled(client: Client, settings: Settings) -> None:
    settings.THROTTLE_SIGN_IN = Rate(2, 3_600_000)
    assert [client.get(f"/sign-in/guess{n}").status_code for n in range(3)] == [410, 410, 429]


def test_a_key_gets_a_ticket(client: Client, issue_key: IssueKey) -> None:
    key, plain = issue_key("orders:read")
    answer = client.post("/api/ws-ticket", headers={"Authorization": f"Bearer {plain}"})
    assert (answer.status_code, answer.json()["expiresIn"]) == (201, 30)
    sent = Credentials("", "", answer.json()["ticket"], True, "", False, "", "")
    assert auth.authenticate(sent).ref == f"key:{key.pk}"


def test_another_sites_page_gets_no_ticket(client: Client, operator: User) -> None:
    client.force_login(operator)
    evil = client.post("/api/ws-ticket", headers={"Origin": "http://evil.example"})
    assert (evil.status_code, evil.json()["code"]) == (403, "cross_origin")
    own = client.post("/api/ws-ticket", headers={"Origin": "http://localhost", "Host": "localhost"})
    assert own.status_code == 201


@pytest.fixture
def _unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauges, "_started_at", time.monotonic())
    health._kept.clear()


@pytest.mark.usefixtures("_unseen")
def test_health_names_its_parts(client: Client) -> None:
    answer = client.get("/health").json()
    assert answer["status"] == "ok"
    assert {"database", "redis"} <= answer["parts"].keys()
    assert client.get("/health/ready").json()["parts"].keys() == {"database", "migrations"}


@pytest.mark.usefixtures("_unseen")
@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/live"])
def test_probes_may_ask_by_address(client: Client, path: str) -> None:
    by_address = {"host": "10.1.2.3:8000"}
    assert client.get(path, headers=by_address).status_code == 200
    assert client.get("/sign-in", headers=by_address).status_code == 400


@pytest.mark.usefixtures("_unseen")
def test_health_without_redis_is_a_503_and_tells_no_secret(
    client: Client, settings: Settings
) -> None:
    redis_clients.client.cache_clear()
    settings.REDIS_URL = "redis://user:hunter2@127.0.0.1:1/0"
    try:
        answer = client.get("/health")
        assert answer.status_code == 503
        assert answer.json()["parts"]["redis"]["status"] == "failing"
        assert answer.json()["parts"]["database"]["status"] == "ok"
        # Orders are taken all the same.
        assert client.get("/health/ready").status_code == 200
        assert b"hunter2" not in answer.content
        assert client.get("/health/live").status_code == 200
    finally:
        redis_clients.client.cache_clear()


@pytest.mark.usefixtures("_unseen")
def test_a_part_shows_its_figures_or_why_it_fails(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise health.Failing("no heartbeat")

    monkeypatch.setattr(health, "_parts", {})
    health.part("well")(lambda: {"count": 3})
    health.part("ill")(fail)
    answer = client.get("/health")
    parts = answer.json()["parts"]
    assert (answer.status_code, parts["well"]["count"]) == (503, 3)
    assert (parts["ill"]["status"], parts["ill"]["reason"]) == ("failing", "no heartbeat")


def test_metrics_need_their_scope(client: Client, issue_key: IssueKey) -> None:
    _, reader = issue_key("metrics:read")
    _, other = issue_key("orders:read")
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {other}"}).status_code == 403
    client.get("/health/live")
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {reader}"})
    assert answer.status_code == 200
    line = 'fairlane_http_request_seconds_count{method="GET",route="health/live",status="200"}'
    assert line in answer.content.decode()
