"""What the intake charges, bounds and refuses before it reads."""

from typing import Any

import pytest
from pytest_django import Settings

from fairlane.core.rates import Rate
from fairlane.core.tests.access_fixtures import IssueKey
from orders.tests import doors
from orders.tests.doors import BULK, EXECUTE, GOOD, post

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("market")]

HOUR_MS = 3_600_000


def test_without_https_nothing_is_taken(key: dict[str, str], settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = post(doors.asgi, EXECUTE, GOOD, key)
    assert (answer.status, answer.body["code"]) == (403, "https_required")
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert post(doors.asgi, EXECUTE, GOOD, key | {"X-Forwarded-Proto": "https"}).status == 202


def test_a_caller_without_the_scope_is_throttled_as_well(
    issue_key: IssueKey, settings: Settings
) -> None:
    settings.THROTTLE_KEY = Rate(1, HOUR_MS)
    headers = {"Authorization": f"Bearer {issue_key('orders:read')[1]}"}
    assert post(doors.asgi, EXECUTE, GOOD, headers).status == 403
    assert post(doors.asgi, EXECUTE, GOOD, headers).status == 429


def test_each_order_of_a_bulk_counts(key: dict[str, str], settings: Settings) -> None:
    settings.THROTTLE_KEY = Rate(10, HOUR_MS)
    assert post(doors.asgi, BULK, {"orders": [GOOD] * 9}, key).status == 202
    assert post(doors.asgi, BULK, {"orders": [GOOD] * 1}, key).status == 202
    assert post(doors.asgi, EXECUTE, GOOD, key).status == 429


def test_a_large_bulk_is_taken_whole(key: dict[str, str]) -> None:
    answer = post(doors.asgi, BULK, {"orders": [GOOD] * 300}, key)
    assert (answer.status, answer.body["accepted"]) == (202, 300)


def test_an_order_of_a_bulk_names_a_handful_of_errors(
    door: doors.Door, key: dict[str, str]
) -> None:
    odd: dict[str, Any] = GOOD | {f"odd{n}": n for n in range(1_000)}
    answer = post(door, BULK, {"orders": [odd, GOOD]}, key)
    assert (answer.status, answer.body["accepted"]) == (207, 1)
    assert len(answer.body["results"][0]["problem"]["errors"]) == 5
