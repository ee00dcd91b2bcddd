"""Reading requests over REST, and asking for them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fairlane.core.models import Event, Work
from fairlane.core.tests.access_fixtures import IssueKey, fresh_process, issue_key
from sandbox.evm import HOLDERS
from stablecoin import intake, registry
from stablecoin.intake import NewRequest
from stablecoin.models import Chain, Request
from stablecoin.stage_names import ADMIT
from stablecoin.tests.driving import admit_and_sign, complete, hear
from stablecoin.tests.factories import RequestFactory
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

__all__ = ["fresh_process", "issue_key"]

pytestmark = pytest.mark.django_db

HOLDER, OTHER = HOLDERS[0].address, HOLDERS[1].address
CONTRACT = "0x1234567890123456789012345678901234567890"
Api = Callable[..., Client]


def listed(client: Client, **query: str | int) -> list[str]:
    """The names on a page."""
    return [request["requestId"] for request in client.get("/status", query).json()["requests"]]


@pytest.fixture
def api(issue_key: IssueKey) -> Api:
    """Clients with keys of chosen scopes and wallets."""

    def client(*scopes: str, wallets: list[str] | None = None) -> Client:
        chosen = scopes or ("stablecoin:read", "stablecoin:write")
        _, plain = issue_key(*chosen, wallets=wallets or ["*"])
        return Client(headers={"Authorization": f"Bearer {plain}"}, raise_request_exception=False)

    return client


@pytest.fixture(autouse=True)
def chain(request: pytest.FixtureRequest) -> None:
    """A chain that is served, where no real one is."""
    if "outside" in request.fixturenames:
        return
    request.getfixturevalue("db")
    Chain.objects.update_or_create(chain_id=CHAIN, defaults={"name": "A", "contract": CONTRACT})
    registry.forget()


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "requestId": "manual-1",
        "userAddress": HOLDER,
        "amount": str(TOKEN),
        "chainId": CHAIN,
        "fiatRef": "wire 7",
    } | changes


def post(client: Client, kind: str, body: Any, **headers: str) -> Any:
    return client.post(
        f"/api/stablecoin/{kind}", body, content_type="application/json", headers=headers
    )


def test_a_mint_that_was_asked_for_is_stored_with_its_work(api: Api) -> None:
    answer = post(api(), "mints", asked())
    assert answer.status_code == 202
    shown = answer.json()
    stored = Request.objects.get(request_id="manual-1")
    assert (stored.kind, stored.source, stored.wallet) == ("mint", "api", HOLDER)
    assert (stored.amount, stored.reference) == (TOKEN, "wire 7")
    assert shown["id"] == str(stored.id)
    assert (shown["status"], shown["phase"]) == ("RECEIVED", "PENDING")
    assert Work.objects.get(object_id=stored.id).stage == ADMIT
    assert Event.objects.filter(object_id=stored.id).count() == 1


def test_the_same_again_is_the_same_request(api: Api) -> None:
    client = api()
    first, second = post(client, "mints", asked()), post(client, "mints", asked())
    assert second.status_code == 202
    assert second.json()["id"] == first.json()["id"]
    assert Request.objects.count() == 1


def test_the_same_name_for_something_else_is_refused_and_changes_nothing(api: Api) -> None:
    client = api()
    post(client, "mints", asked())
    answer = post(client, "mints", asked(amount="2"), **{"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["code"]) == (409, "request_exists")
    assert answer.json()["errors"][0]["field"] == "requestId"
    assert Request.objects.get().status == "RECEIVED"
    # The key was not used up by what was refused.
    assert post(client, "mints", asked(), **{"Idempotency-Key": "k"}).status_code == 202


def test_an_idempotency_key_gets_the_first_answer_and_is_good_for_one_request(api: Api) -> None:
    client, key = api(), {"Idempotency-Key": "invoice-7"}
    first, again = (post(client, "mints", asked(), **key) for _ in range(2))
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.content == first.content
    other = post(client, "mints", asked(requestId="manual-2"), **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert Request.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"requestId": ""}, "requestId"),
        ({"requestId": "a" * 129}, "requestId"),
        ({"requestId": "zeile\n"}, "requestId"),
        ({"requestId": 7}, "requestId"),
        ({"userAddress": "0x12"}, "userAddress"),
        ({"userAddress": "0x" + "0" * 40}, "userAddress"),
        ({"userAddress": HOLDER.swapcase().replace("X", "x")}, "userAddress"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "1.5"}, "amount"),
        ({"amount": 10**18}, "amount"),
        ({"amount": str(2**256)}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"chainId": 1}, "chainId"),
        ({"chainId": "5920"}, "chainId"),
        ({"chainId": True}, "chainId"),
        ({"fiatRef": "é"}, "fiatRef"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    api: Api, change: dict[str, Any], field: str
) -> None:
    answer = post(api(), "mints", asked(**change))
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Request.objects.exists()


def test_every_wrong_field_is_named_at_once(api: Api) -> None:
    answer = post(api(), "mints", {"requestId": "", "amount": "x"})
    fields = {error["field"] for error in answer.json()["errors"]}
    assert fields == {"requestId", "amount", "userAddress", "chainId"}


def test_scopes_and_wallets_are_asked_for(api: Api) -> None:
    assert post(Client(), "mints", asked()).status_code == 401
    assert post(api("stablecoin:read"), "mints", asked()).status_code == 403
    assert post(api(wallets=[OTHER]), "mints", asked()).status_code == 403
    assert api("stablecoin:write").get("/status").status_code == 403
    assert Client().get("/status").status_code == 401
    assert not Request.objects.exists()


def test_a_redeem_of_the_back_office_waits_for_the_chain(api: Api) -> None:
    answer = post(api(), "redeems", asked())
    assert (answer.status_code, answer.json()["type"]) == (202, "redeem")
    assert Request.objects.get().lock_hash == ""


@pytest.mark.django_db(transaction=True)
def test_a_status_tells_everything_of_a_request(api: Api, outside: Outside) -> None:
    name = outside.approve(user=HOLDER, amount=str(5 * TOKEN), chainId=CHAIN, fiatRef="wire")
    hear(outside)
    admit_and_sign()
    complete(outside)
    shown = api().get(f"/status/{name}").json()
    assert (shown["requestId"], shown["type"]) == (name, "mint")
    assert (shown["status"], shown["phase"]) == ("COMPLETED", "COMPLETED")
    assert (shown["userAddress"], shown["amount"], shown["chainId"]) == (
        HOLDER,
        str(5 * TOKEN),
        CHAIN,
    )
    assert shown["fiatRef"] == "wire"
    (transaction,) = shown["transactions"]
    (attempt,) = transaction["attempts"]
    assert shown["txHash"] == transaction["txHash"] == attempt["txHash"]
    (approval,) = shown["approvals"]
    assert approval["state"] == "SIGNED"
    assert "signature" not in approval
    assert shown["history"][0]["status"] == "RECEIVED"
    assert shown["history"][-1]["status"] == "COMPLETED"
    assert outside.supply == 5 * TOKEN


def test_an_unknown_request_is_a_404_in_both_ways_of_saying_it(api: Api) -> None:
    answer = api().get("/status/nobody")
    assert answer.status_code == 404
    assert answer.json()["error"] == "Request not found"
    assert answer.json()["code"] == "not_found"


def test_names_may_hold_any_printable_character(api: Api) -> None:
    name = "a/b c?d%20#e"
    RequestFactory.create(request_id=name)
    shown = api().get(f"/status/{quote(name, safe='')}").json()
    assert shown["requestId"] == name
    assert api().get(shown["links"]["self"]).json()["requestId"] == name


def test_a_name_that_several_have_asks_which(api: Api) -> None:
    RequestFactory.create(request_id="r", kind="redeem", chain_id=CHAIN)
    RequestFactory.create(request_id="r", kind="redeem", chain_id=CHAIN + 1)
    RequestFactory.create(request_id="r", kind="mint")
    answer = api().get("/status/r")
    assert (answer.status_code, answer.json()["code"]) == (409, "ambiguous_name")
    assert {error["field"] for error in answer.json()["errors"]} == {"chainId", "type"}
    shown = api().get(f"/status/r?type=redeem&chainId={CHAIN + 1}").json()
    assert (shown["type"], shown["chainId"]) == ("redeem", CHAIN + 1)


def test_a_key_sees_the_requests_of_its_wallets(api: Api) -> None:
    RequestFactory.create(request_id="mine", wallet=HOLDER)
    RequestFactory.create(request_id="theirs", wallet=OTHER)
    client = api("stablecoin:read", wallets=[HOLDER])
    listed = client.get("/status").json()["requests"]
    assert [request["requestId"] for request in listed] == ["mine"]
    assert client.get("/status/theirs").status_code == 404


def test_a_list_is_filtered_and_comes_in_pages(api: Api) -> None:
    now = timezone.now()
    for n in range(5):
        RequestFactory.create(request_id=f"m{n}", created_at=now - timedelta(minutes=n))
    RequestFactory.create(
        request_id="x", kind="redeem", status="REJECTED", rule="kyc", chain_id=CHAIN + 1
    )
    client = api()
    assert listed(client, type="mint") == ["m0", "m1", "m2", "m3", "m4"]
    assert listed(client, type="mint", limit=2, offset=1) == ["m1", "m2"]
    assert listed(client, status="REJECTED") == ["x"]
    assert listed(client, phase="FAILED") == ["x"]
    assert listed(client, chainId=CHAIN + 1) == ["x"]
    assert listed(client, phase="PENDING", limit=1) == ["m0"]
    page = client.get("/status?type=mint&limit=4").json()
    assert (page["limit"], page["offset"], page["hasMore"]) == (4, 0, True)
    assert client.get("/status?type=mint&limit=5").json()["hasMore"] is False


@pytest.mark.parametrize(
    "query",
    [
        {"status": "DONE"},
        {"type": "burn"},
        {"phase": "x"},
        {"chainId": "x"},
        {"limit": "0"},
        {"limit": "501"},
        {"offset": "-1"},
        {"limit": "9" * 5_000},
        {"unknown": "1"},
    ],
)
def test_a_wrong_filter_is_named(api: Api, query: dict[str, str]) -> None:
    answer = api().get("/status", query)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == list(query)


def test_a_list_costs_the_same_number_of_queries_however_long(api: Api) -> None:
    client = api()
    counts = []
    for size in (1, 20):
        RequestFactory.create_batch(size)
        client.get("/status")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get("/status").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_what_has_not_ended_is_found_by_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM stablecoin_request WHERE status = 'REVIEW' AND NOT ended"
            " ORDER BY created_at DESC, id DESC LIMIT 50"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "request_not_ended" in plan


def test_steps_rewrite_no_index() -> None:
    request = RequestFactory.create()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_get_xact_tuples_hot_updated('stablecoin_request'::regclass)")
        (before,) = cursor.fetchone()
        for status in ("QUEUED", "SIGNING", "SIGNED", "SUBMITTED", "MINED"):
            Request.objects.filter(id=request.id).update(status=status)
        cursor.execute("SELECT pg_stat_get_xact_tuples_hot_updated('stablecoin_request'::regclass)")
        assert cursor.fetchone() == (before + 5,)


def test_the_chain_alone_gives_the_names_of_redeems(api: Api) -> None:
    claimed = post(api(wallets=[OTHER]), "redeems", asked(userAddress=OTHER, amount="1")).json()
    locked = NewRequest(
        kind="redeem",
        chain_id=CHAIN,
        request_id="manual-1",
        wallet=HOLDER,
        amount=TOKEN,
        source="chain",
        created_by="chain",
        lock_hash="0x" + "7" * 64,
    )
    (receipt,) = intake.receive([locked])
    assert receipt.outcome == "created"
    false = Request.objects.get(id=claimed["id"])
    assert (false.status, false.rule) == ("REJECTED", "lock")
    assert not Work.objects.filter(object_id=false.id).exists()
    true = Request.objects.get(kind="redeem", request_id="manual-1")
    assert (true.id, true.wallet, true.amount) == (receipt.id, HOLDER, TOKEN)


def test_a_redeem_that_was_asked_for_rightly_is_joined_with_the_chains(api: Api) -> None:
    asked_for = post(api(), "redeems", asked()).json()
    locked = NewRequest(
        kind="redeem",
        chain_id=CHAIN,
        request_id="manual-1",
        wallet=HOLDER,
        amount=TOKEN,
        source="chain",
        created_by="chain",
        lock_hash="0x" + "7" * 64,
    )
    (receipt,) = intake.receive([locked])
    assert (receipt.outcome, str(receipt.id)) == ("duplicate", asked_for["id"])
    assert Request.objects.get().lock_hash == locked.lock_hash
