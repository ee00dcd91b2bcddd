"""The back office's pages, as an operator opens them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from fairlane.core import switches

REASON = {"confirmed": "yes", "reason": "the reference is off"}


@pytest.fixture
def office(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def rows_of(model: str) -> str:
    return reverse(f"admin:batches_{model}_changelist")


def page_of(model: str, key: object) -> str:
    return reverse(f"admin:batches_{model}_change", args=[key])


def text_of(client: Client, address: str, **query: str) -> str:
    answer = client.get(address, query, follow=True)
    assert answer.status_code == 200
    return str(answer.content, "utf-8")


def text_posted(client: Client, address: str, body: dict[str, Any]) -> str:
    answer = client.post(address, body, follow=True)
    assert answer.status_code == 200
    # Nothing is committed in a test, so that this process is not told of a switch.
    switches.forget()
    return str(answer.content, "utf-8")


def deed(model: str, key: object, name: str) -> str:
    return reverse(f"admin:batches_{model}_{name}", args=[key])
