"""The page of fair batches, as the server sends it."""

import json
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from batches.models import Market
from orders.models import Wallet

pytestmark = pytest.mark.django_db

HOSTILE = """</script><img src=x onerror='alert("1")'>"""


def rights(user: User, *names: str) -> None:
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))


def test_the_page_needs_somebody_who_may_see_batches(client: Client) -> None:
    assert client.get("/batches").headers["Location"].startswith("/sign-in")
    user = User.objects.create_user("trader")
    client.force_login(user)
    assert client.get("/batches").status_code == 403
    assert 'href="/batches"' not in client.get("/").content.decode()
    rights(user, "view_batch")
    assert client.get("/batches").status_code == 200
    assert 'href="/batches"' in client.get("/").content.decode()


def test_who_may_only_watch_is_told_so(client: Client) -> None:
    Wallet.objects.create(address="wallet", label="mine")
    user = User.objects.create_user("watcher", is_staff=True)
    rights(user, "view_batch")
    client.force_login(user)
    button = r'<button[^>]* id="place"[^>]* disabled>'
    watching = client.get("/batches").content.decode()
    assert "It may not send orders." in watching
    assert re.search(button, watching)
    rights(user, "change_batchorder")
    trading = client.get("/batches").content.decode()
    assert "It may not send orders." not in trading
    assert not re.search(button, trading)


def test_what_people_have_named_is_shown_as_text(client: Client, market: Market) -> None:
    Wallet.objects.create(address="wallet", label=HOSTILE)
    client.force_login(User.objects.create_superuser("operator"))
    page = client.get("/batches").content.decode()
    assert "<img src=x" not in page
    found = re.search(r'<script id="page-data" type="application/json">(.*?)</script>', page)
    assert found
    data = json.loads(found[1])
    assert data["wallets"]["wallet"] == HOSTILE
    assert [one["market"] for one in data["markets"]] == [market.name]
