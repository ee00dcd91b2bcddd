"""The REST API, on a real chain: what a client sees of markets, batches, orders and proofs."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.test import Client

from batches import merkle, pools, verify
from batches.models import Batch, BatchOrder, Market, Transfer
from batches.records import Header, Side
from batches.tests import driving
from batches.tests.driving import place, signed
from batches.tests.outside import OWNER_ADDRESSES, OWNERS, Chain
from fairlane.core import switches
from fairlane.core.tests.access_fixtures import IssueKey


@pytest.fixture
def api(client: Client, issue_key: IssueKey) -> Callable[..., Any]:
    """Requests with a key for every wallet; `key` is another one."""
    _, plain = issue_key("batches:read", "batches:write", wallets=["*"])

    def call(method: str, path: str, body: Any = None, key: str = plain, **headers: str) -> Any:
        options: dict[str, Any] = {"headers": {"Authorization": f"Bearer {key}", **headers}}
        if body is not None:
            options |= {"data": orjson.dumps(body), "content_type": "application/json"}
        return getattr(client, method)(path, **options)

    return call


@pytest.fixture
def batch(chain: Chain, market: Market) -> Batch:
    """A settled one, in which two orders met."""
    buy = place(market, limit=510, quantity=10)
    sell = place(market, OWNERS[1], side=Side.SELL, limit=490, quantity=6)
    driving.escrowed(buy, sell)
    driving.run_until(lambda: driving.read(sell).status == "FILLED")
    settled = driving.settled(Batch.objects.get(fills__gt=0).id)
    driving.final()
    return settled


def test_a_market_tells_its_terms(api: Callable[..., Any], market: Market) -> None:
    (shown,) = api("get", "/api/markets").json()["markets"]
    assert (shown["market"], shown["reference"]) == ("JUP-USDC", {"tick": 500, "price": "0.5"})
    assert (shown["lot"], shown["tick"], shown["feeBps"]) == ("1000000", "1000", 10)
    assert shown["maxOpenOrders"] == 100
    assert not shown["paused"]
    assert shown["pool"] is None


def test_a_pool_tells_what_it_holds_and_what_it_traded(
    api: Callable[..., Any], chain: Chain
) -> None:
    market = chain.open_market(uses_pool=True, pool_fee_bps=30)
    amounts = {market.base_mint: 10**10, market.quote_mint: 5 * 10**9}
    pools.fund(market, wallet=OWNER_ADDRESSES[5], amounts=amounts, reference="1", by="tests")
    driving.quiet()
    (shown,) = api("get", "/api/markets").json()["markets"]
    assert shown["pool"] == {"feeBps": 30, "base": "10000", "quote": "5000"}
    order = place(market, side=Side.SELL, limit=490, quantity=4)
    driving.run_until(lambda: driving.read(order).status == "FILLED")
    batch = driving.settled(Batch.objects.get(fills__gt=0).id)
    told = api("get", f"/api/batches/JUP-USDC/{batch.number}").json()
    assert told["pool"] == {"lots": -4, "base": "-4", "quote": str(batch.pool_quote / 10**6)}
    assert told["volume"] == "4"


def test_a_batch_tells_what_it_came_to(api: Callable[..., Any], batch: Batch) -> None:
    found = api("get", "/api/batches?market=JUP-USDC&status=SETTLED&limit=200").json()["batches"]
    (shown,) = [each for each in found if each["fills"]]
    assert shown["batchNo"] == batch.number
    assert (shown["clearingPrice"], shown["volume"], shown["turnover"]) == ("0.51", "6", "3.06")
    assert (shown["orders"], shown["fills"], shown["lane"]) == (2, 2, "NORMAL")
    assert shown["anchorSlot"] < shown["slot"]
    assert len(shown["settlementSignatures"]) == 1
    detail = api("get", f"/api/batches/JUP-USDC/{batch.number}").json()
    assert detail["curve"]["demand"] == [[510, 10]]
    assert detail["curve"]["supply"] == [[490, 6]]
    assert detail["merkleRoot"] == shown["merkleRoot"]
    (point,) = api("get", "/api/batches/JUP-USDC/prices").json()["prices"]
    assert (point["price"], point["volumeLots"]) == ("0.51", 6)


def test_a_batch_is_verified_here_and_by_its_bundle_alone(
    api: Callable[..., Any], batch: Batch, tmp_path: Path
) -> None:
    verdict = api("get", f"/api/batches/JUP-USDC/{batch.number}/verify").json()
    assert verdict["status"] == "VERIFIED", verdict
    assert [step["holds"] for step in verdict["steps"]] == [True] * 8
    answer = api("get", f"/api/batches/JUP-USDC/{batch.number}/bundle")
    assert answer["ETag"] == f'"{sha256(answer.content).hexdigest()}"'
    assert api("get", f"/api/batches/JUP-USDC/{batch.number}/bundle").content == answer.content
    path = tmp_path / "bundle.json"
    path.write_bytes(answer.content)
    # Nothing of the chain is at hand, which is no proof of anything wrong.
    assert verify.main([str(path)]) == 2


def test_an_order_is_proven_to_be_in_and_another_not_to_be(
    api: Callable[..., Any], batch: Batch
) -> None:
    order = BatchOrder.objects.get(side=Side.SELL)
    path = f"/api/batches/JUP-USDC/{batch.number}/proof"
    proof = api("get", f"{path}/{order}").json()
    assert proof["included"]
    siblings = [bytes.fromhex(sibling) for sibling in proof["proof"]]
    root = bytes.fromhex(proof["root"])
    leaf = bytes.fromhex(proof["leaf"])
    assert merkle.proves(root, leaf=leaf, index=proof["index"], size=proof["size"], proof=siblings)
    assert Header.parse(bytes.fromhex(proof["header"])).root == root
    assert merkle.proves(
        bytes.fromhex(proof["tickRoot"]),
        leaf=bytes.fromhex(proof["header"]),
        index=proof["tickIndex"],
        size=proof["tickSize"],
        proof=[bytes.fromhex(sibling) for sibling in proof["tickProof"]],
    )
    assert not api("get", f"{path}/{'00' * 32}").json()["included"]
    assert api("get", f"{path}/nothing").status_code == 404


@pytest.mark.parametrize("status", ["CLOSED", "COMMITTED", "ROLLED", "VOIDED"])
def test_whose_orders_wait_is_nobodys_business(
    api: Callable[..., Any], batch: Batch, status: str
) -> None:
    order = BatchOrder.objects.get(side=Side.SELL)
    path = f"/api/batches/JUP-USDC/{batch.number}"
    Batch.objects.filter(id=batch.id).update(status=status)
    assert api("get", path).json()["curve"] is None
    assert api("get", f"{path}/proof/{order}").status_code == 404
    Batch.objects.filter(id=batch.id).update(status="CLEARED")
    assert api("get", path).json()["curve"]["supply"] == [[490, 6]]
    assert api("get", f"{path}/proof/{order}").json()["included"]


def test_an_order_is_sent_and_seen(api: Callable[..., Any], market: Market) -> None:
    place(market)
    answer = api("post", "/api/batches/JUP-USDC/orders", signed(market, OWNERS[1], quantity=3))
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["side"], shown["quantity"], shown["limitPrice"]) == ("buy", "3", "0.5")
    assert (shown["status"], shown["wallet"]) == ("ESCROWING", OWNER_ADDRESSES[1])
    listed = api("get", f"/api/batches/JUP-USDC/orders?wallet={OWNER_ADDRESSES[1]}").json()
    assert [order["hash"] for order in listed["orders"]] == [shown["hash"]]
    detail = api("get", f"/api/batches/JUP-USDC/orders/{shown['hash']}").json()
    assert [entry["status"] for entry in detail["history"]] == ["ESCROWING"]
    gone = api("delete", f"/api/batches/JUP-USDC/orders/{shown['hash']}")
    assert (gone.status_code, gone.json()["status"]) == (202, "CANCELLED")


def test_the_stored_answer_is_given_again_while_the_market_is_paused_or_closed(
    api: Callable[..., Any], market: Market
) -> None:
    place(market)
    path, body = "/api/batches/JUP-USDC/orders", signed(market)
    once = {"Idempotency-Key": "once"}
    first = api("post", path, body, **once)
    switches.set_switch(name=market.switch, on=False, by="user:ada", reason="looking")
    switches.forget()
    assert api("post", path, signed(market)).status_code == 503
    again = api("post", path, body, **once)
    assert (again.status_code, again.json()) == (201, first.json())
    switches.set_switch(name=market.switch, on=True, by="user:ada", reason="looked")
    switches.forget()
    Market.objects.update(active=False)
    assert api("post", path, signed(market)).json()["code"] == "closed"
    assert api("post", path, body, **once).status_code == 201


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"record": "00"}, ["record", "signature"]),
        ({"record": "zz" * 128, "signature": "1"}, ["record", "signature"]),
        ({}, ["wallet", "side", "quantity", "limitPrice"]),
        ({"wallet": "x", "side": "buy", "quantity": "1", "what": 1}, ["limitPrice", "what"]),
        (
            {
                "wallet": OWNER_ADDRESSES[0],
                "side": "buy",
                "type": "market",
                "quantity": "1",
                "limitPrice": "1",
            },
            ["limitPrice"],
        ),
        ({"wallet": OWNER_ADDRESSES[0], "side": "buy", "quantity": "1"}, ["limitPrice"]),
        (
            {"wallet": OWNER_ADDRESSES[0], "side": "buy", "quantity": "1.5", "limitPrice": "1"},
            ["quantity"],
        ),
        (
            {"wallet": OWNER_ADDRESSES[0], "side": "buy", "quantity": "1", "limitPrice": "1e-9"},
            ["limitPrice"],
        ),
    ],
)
def test_wrong_bodies_are_told_field_by_field(
    api: Callable[..., Any], market: Market, body: dict[str, Any], fields: list[str]
) -> None:
    place(market)
    answer = api("post", "/api/batches/JUP-USDC/orders", body)
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert [error["field"] for error in errors] == fields
    assert not any("Value error" in error["message"] for error in errors)
    assert BatchOrder.objects.count() == 1


def test_other_wallets_orders_are_not_there(
    api: Callable[..., Any], market: Market, issue_key: IssueKey
) -> None:
    order = place(market)
    _, other = issue_key("batches:read", "batches:write", wallets=[OWNER_ADDRESSES[1]])
    path = "/api/batches/JUP-USDC/orders"
    assert api("get", path, key=other).json()["orders"] == []
    assert api("get", f"{path}/{order}", key=other).status_code == 404
    assert api("delete", f"{path}/{order}", key=other).status_code == 404
    assert api("post", path, signed(market), key=other).status_code == 403
    _, reader = issue_key("batches:read", wallets=["*"])
    assert api("post", path, signed(market), key=reader).status_code == 403
    _, nobody = issue_key("orders:read", wallets=["*"])
    for public in ("/api/markets", "/api/batches", path):
        assert api("get", public, key=nobody).status_code == 403


def test_unknown_parameters_and_markets_are_told(api: Callable[..., Any], market: Market) -> None:
    assert api("get", "/api/batches?limit=0&what=1").status_code == 400
    alone = api("get", "/api/batches?before=7")
    assert (alone.status_code, alone.json()["errors"][0]["field"]) == (400, "before")
    assert api("get", "/api/batches?market=NOPE").status_code == 404
    assert api("get", "/api/batches/JUP-USDC/1").status_code == 404
    assert api("get", "/api/batches/JUP-USDC/1/bundle").status_code == 404


def test_an_order_tells_what_its_owner_was_paid(api: Callable[..., Any], batch: Batch) -> None:
    for order in BatchOrder.objects.all():
        path = f"/api/batches/{batch.market.name}/orders/{bytes(order.hash).hex()}"
        found = api("get", path).json()
        paid = Transfer.objects.filter(batch=batch, wallet=order.wallet).order_by("mint")
        assert [(p["batchNo"], p["mint"], p["amount"], p["status"]) for p in found["payouts"]] == [
            (batch.number, each.mint, str(each.amount), "DONE") for each in paid
        ]
        assert all(p["signature"] for p in found["payouts"]) and found["payouts"]


def test_lists_go_on_where_they_ended(api: Callable[..., Any], batch: Batch) -> None:
    path, name, number = "/api/batches", batch.market.name, batch.number
    (found,) = api("get", f"{path}?market={name}&before={number + 1}&limit=1").json()["batches"]
    assert found["batchNo"] == number
    later = api("get", f"{path}?market={name}&before={number}").json()["batches"]
    assert all(each["batchNo"] < number for each in later)
    (point,) = api("get", f"{path}/{name}/prices?before={number + 1}").json()["prices"]
    assert point["batchNo"] == number
    assert api("get", f"{path}/{name}/prices?before={number}").json()["prices"] == []
    first = api("get", f"{path}/{name}/orders?limit=1").json()
    (newest,), seq = first["orders"], first["orders"][0]["receipt"]["seq"]
    assert first["hasMore"]
    (second,) = api("get", f"{path}/{name}/orders?limit=1&before={seq}").json()["orders"]
    assert second["receipt"]["seq"] == seq - 1 and second["hash"] != newest["hash"]


def test_lists_cost_as_many_queries_however_long_they_are(
    api: Callable[..., Any], batch: Batch, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(12):
        assert len(api("get", "/api/batches").json()["batches"]) > 5
    for _ in range(5):
        place(batch.market, limit=300)
    with django_assert_max_num_queries(10):
        assert len(api("get", "/api/batches/JUP-USDC/orders").json()["orders"]) == 7
