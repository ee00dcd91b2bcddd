"""Callers for the kernel's tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from fairlane.core import auth, keys, switches
from fairlane.core.models.access import ApiKey
from fairlane.core.redis_clients import client

IssueKey = Callable[..., tuple[ApiKey, str]]


@pytest.fixture(autouse=True)
def fresh_process() -> None:
    """What processes remember from earlier tests is gone."""
    auth.forget()
    switches.forget()
    client().flushdb()


@pytest.fixture
def issue_key(db: None) -> IssueKey:
    def issue(*scopes: str, **options: object) -> tuple[ApiKey, str]:
        values = {"name": "test", "wallets": ["*"], "by": "test"} | options
        return keys.issue(scopes=scopes or ("orders:read",), **values)  # type: ignore[arg-type]

    return issue


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_superuser("operator", password="correct horse battery")
