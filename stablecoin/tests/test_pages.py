"""The pages for operators, as the server sends them."""

import json
import re
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from fairlane.core.models import RelayCursor
from stablecoin.models import Chain
from stablecoin.tests.factories import RequestFactory
from stablecoin.tests.outside import CHAIN

pytestmark = pytest.mark.django_db

HOSTILE = """</script><img src=x onerror='alert("1")'>"""
UNKNOWN = UUID(int=7)


@pytest.fixture(autouse=True)
def chain(db: None) -> None:
    Chain.objects.create(chain_id=CHAIN, name=HOSTILE, contract="0x1")
    RelayCursor.objects.get_or_create(id=1)


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def data(page: str, id: str) -> object:
    """What the server has put into the page for its script."""
    found = re.search(rf'<script id="{id}" type="application/json">(.*?)</script>', page)
    assert found
    return json.loads(found[1])


def test_a_page_needs_somebody_who_may_see_it(client: Client) -> None:
    request = RequestFactory.create()
    paths = ["/stablecoin", f"/stablecoin/requests/{request.id}"]
    for path in paths:
        assert client.get(path).headers["Location"].startswith("/sign-in")
    user = User.objects.create_user("trader")
    client.force_login(user)
    for path in paths:
        assert client.get(path).status_code == 403
    assert "/stablecoin" not in client.get("/").content.decode()
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="view_request"))
    for path in paths:
        assert client.get(path).status_code == 200
    assert 'href="/stablecoin"' in client.get("/").content.decode()


def test_what_comes_from_outside_is_shown_as_text(staff: Client) -> None:
    request = RequestFactory.create(request_id=HOSTILE, reference=HOSTILE)
    for path in ("/stablecoin", f"/stablecoin/requests/{request.id}"):
        page = staff.get(path).content.decode()
        assert "<img" not in page.replace('<img src="/static', "")
    shown = data(staff.get(f"/stablecoin/requests/{request.id}").content.decode(), "request-data")
    assert isinstance(shown, dict)
    assert (shown["requestId"], shown["fiatRef"]) == (HOSTILE, HOSTILE)


def test_the_page_holds_the_newest_requests_and_the_feeds_position(staff: Client) -> None:
    for number in range(35):
        RequestFactory.create(request_id=f"r{number:02}")
    RelayCursor.objects.update(position=41)
    page = data(staff.get("/stablecoin").content.decode(), "page-data")
    assert isinstance(page, dict)
    assert page["position"] == 41
    assert [r["requestId"] for r in page["requests"]] == [f"r{n:02}" for n in range(34, 4, -1)]
    assert [c["chainId"] for c in page["overview"]["chains"]] == [CHAIN]


def test_an_unknown_request_is_a_404(staff: Client) -> None:
    assert staff.get(f"/stablecoin/requests/{UNKNOWN}").status_code == 404
