from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from fairlane.core.credentials import digest
from fairlane.core.models.access import ApiKey

pytestmark = pytest.mark.django_db


def said(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


def test_create_api_key_prints_the_key_alone() -> None:
    options = ["--scopes", "orders:read,orders:write", "--wallets", "W1,W2", "--expires-days", "7"]
    printed = said("create_api_key", "demo", *options)
    key = ApiKey.objects.get()
    assert printed.endswith("\n")
    assert digest(printed.strip()) == key.digest
    assert (key.scopes, key.wallets) == (["orders:read", "orders:write"], ["W1", "W2"])
    assert key.expires_at is not None
    assert (key.expires_at - key.created_at).days in (6, 7)
    assert not key.throttle_exempt


def test_create_api_key_refuses_an_unknown_scope() -> None:
    with pytest.raises(CommandError, match="orders:everything"):
        said("create_api_key", "demo", "--scopes", "orders:everything")
    assert not ApiKey.objects.exists()


def test_the_operator_is_created_once_and_signs_in_by_link(client: Client) -> None:
    assert said("ensure_operator", "op") == "op created\n"
    assert said("ensure_operator", "op") == "op exists\n"
    operator = User.objects.get()
    assert operator.is_superuser
    assert not operator.has_usable_password()
    path = said("sign_in_link", "op").strip()
    assert path.startswith("/sign-in/")


def test_a_link_for_nobody_is_an_error() -> None:
    with pytest.raises(CommandError, match="no active user"):
        said("sign_in_link", "nobody")
