import time
from collections.abc import Iterator

import pytest
from django.test import override_settings
from pytest_django import Settings

from fairlane.core import redis_clients, throttling
from fairlane.core.errors import Problem
from fairlane.core.principals import ALL, Principal
from fairlane.core.rates import Rate

CALLER = Principal("key", "1", "test", frozenset(), ALL)
EXEMPT = Principal("key", "2", "bench", frozenset(), ALL, throttle_exempt=True)


@pytest.fixture(autouse=True)
def _small_rates(settings: Settings) -> None:
    settings.THROTTLE_KEY = Rate(3, 3_600_000)
    settings.THROTTLE_ADDRESS = Rate(5, 3_600_000)
    settings.THROTTLE_SIGN_IN = Rate(2, 3_600_000)


@pytest.fixture
def redis_away() -> Iterator[None]:
    redis_clients.client.cache_clear()
    with override_settings(REDIS_URL="redis://127.0.0.1:1/0"):
        yield
    redis_clients.client.cache_clear()
    throttling._paused_until = 0.0


def refusal(principal: Principal | None, address: str, cost: int = 1) -> Problem:
    with pytest.raises(Problem) as caught:
        throttling.check(principal, address, cost=cost)
    return caught.value


def test_a_key_has_its_allowance_and_no_more() -> None:
    for _ in range(3):
        throttling.check(CALLER, "192.0.2.1")
    problem = refusal(CALLER, "192.0.2.2")
    assert (problem.status, problem.code) == (429, "throttled")
    # One third of an hour until the next one.
    assert 1_190 <= int(problem.headers["Retry-After"]) <= 1_200


def test_an_address_has_its_allowance_whoever_sends() -> None:
    for _ in range(5):
        throttling.check(None, "192.0.2.1")
    assert refusal(None, "192.0.2.1").status == 429
    throttling.check(None, "192.0.2.2")


def test_a_refused_request_costs_its_address_nothing() -> None:
    for _ in range(3):
        throttling.check(CALLER, "192.0.2.1")
    for _ in range(10):
        refusal(CALLER, "192.0.2.1")
    throttling.check(None, "192.0.2.1", cost=2)


def test_what_costs_more_than_is_left_passes_and_owes_the_rest() -> None:
    throttling.check(CALLER, "192.0.2.1")
    throttling.check(CALLER, "192.0.2.1", cost=100)
    assert refusal(CALLER, "192.0.2.2").status == 429


def test_a_request_may_cost_more() -> None:
    throttling.check(CALLER, "192.0.2.1", cost=3)
    assert refusal(CALLER, "192.0.2.1").status == 429


def test_the_allowance_comes_back(settings: Settings) -> None:
    settings.THROTTLE_KEY = Rate(1, 200)
    throttling.check(CALLER, "192.0.2.1")
    assert refusal(CALLER, "192.0.2.1").headers["Retry-After"] == "1"
    settings.THROTTLE_ADDRESS = None
    deadline = time.monotonic() + 10
    while throttling._spend([(CALLER.ref, settings.THROTTLE_KEY)], 1):
        assert time.monotonic() < deadline


def test_an_exempt_key_costs_nothing() -> None:
    for _ in range(20):
        throttling.check(EXEMPT, "192.0.2.1")
    assert redis_clients.client().keys("*throttle*") == []


def test_sign_in_has_an_allowance_of_its_own() -> None:
    throttling.check_sign_in("192.0.2.1")
    throttling.check_sign_in("192.0.2.1")
    with pytest.raises(Problem):
        throttling.check_sign_in("192.0.2.1")
    throttling.check(None, "192.0.2.1")


async def test_threads_and_the_event_loop_share_the_count() -> None:
    throttling.check(CALLER, "192.0.2.1", cost=2)
    await throttling.acheck(CALLER, "192.0.2.1")
    with pytest.raises(Problem):
        await throttling.acheck(CALLER, "192.0.2.1")
    await redis_clients.aclose()


@pytest.mark.usefixtures("redis_away")
def test_without_redis_everything_passes() -> None:
    for _ in range(10):
        throttling.check(CALLER, "192.0.2.1")


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "198.51.100.9", "192.0.2.1"),
        (1, "198.51.100.9", "198.51.100.9"),
        (1, "203.0.113.7, 198.51.100.9", "198.51.100.9"),
        (2, "203.0.113.7, 198.51.100.9, 10.0.0.1", "198.51.100.9"),
        (2, "198.51.100.9", "192.0.2.1"),
        (1, "", "192.0.2.1"),
    ],
)
def test_only_our_own_proxies_are_believed(
    proxies: int, header: str, address: str, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert throttling.client_address("192.0.2.1", header) == address
    scope = {"client": ("192.0.2.1", 1), "headers": [(b"x-forwarded-for", header.encode())]}
    assert throttling.address_of_scope(scope) == address
