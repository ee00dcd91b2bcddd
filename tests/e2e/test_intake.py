"""Many orders at once, and the same order many times."""

import asyncio
from uuid import uuid4

import httpx

from fairlane.core import idempotency
from tests.clients import Json, ended, read, send_bulk, swap, swaps
from tests.stack import Stack
from tests.waiting import until
from tests.witness import Witness


async def test_a_bulk_is_answered_and_executed_order_by_order(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    bodies = swaps(stack, 1_000)
    bad: dict[int, tuple[Json, str]] = {
        7: ({"inputAmount": "0"}, "inputAmount"),
        500: ({"outputToken": "NOPE"}, "outputToken"),
        999: ({"surprise": 1}, "surprise"),
    }
    for index, (change, _) in bad.items():
        bodies[index] |= change
    answer = await api.post("/api/orders/bulk", json={"orders": bodies})
    assert answer.status_code == 207
    document = answer.json()
    assert (document["accepted"], document["rejected"]) == (997, 3)
    assert [result["index"] for result in document["results"]] == list(range(1_000))
    for index, (_, wrong) in bad.items():
        result = document["results"][index]
        assert result["status"] == 400
        assert wrong in {error["field"] for error in result["problem"]["errors"]}
    ids = [r["order"]["orderId"] for r in document["results"] if r["status"] == 202]

    async def all_executed() -> bool:
        return set(stack.chain.executions(ids).values()) == {1}

    await until(all_executed, "997 orders are on chain")
    last = await ended(api, ids[-1])
    assert last["status"] == "CONFIRMED"


async def test_fifty_repeats_of_a_request_make_one_order(
    stack: Stack, api: httpx.AsyncClient, other_web: httpx.AsyncClient
) -> None:
    wallet, headers = stack.wallets[2], {"Idempotency-Key": str(uuid4())}
    body = swap(stack, userWallet=wallet, inputAmount="0.123456")
    answers = await asyncio.gather(
        *(
            client.post("/api/orders/execute", json=body, headers=headers)
            for client in [api, other_web] * 25
        )
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert sum(idempotency.REPLAY_HEADER in answer.headers for answer in answers) == 49
    order_id = answers[0].json()["orderId"]
    assert (await ended(api, order_id))["status"] == "CONFIRMED"
    stored = (await api.get(f"/api/orders/user/{wallet}?limit=500")).json()["results"]
    assert [o["orderId"] for o in stored if o["inputAmount"] == "0.123456"] == [order_id]
    assert stack.chain.executions([order_id]) == {order_id: 1}

    other = await other_web.post(
        "/api/orders/execute", json=body | {"inputAmount": "0.2"}, headers=headers
    )
    assert other.status_code == 409
    assert other.json()["code"] == "idempotency_key_reused"


async def test_an_order_executed_twenty_times_at_once_is_executed_once(
    stack: Stack, api: httpx.AsyncClient, other_web: httpx.AsyncClient
) -> None:
    created = await api.post("/api/orders", json=swap(stack))
    assert created.status_code == 201
    order_id = created.json()["orderId"]
    assert (await read(api, order_id))["queued"] is False
    answers = await asyncio.gather(
        *(client.post(f"/api/orders/{order_id}/execute") for client in [api, other_web] * 10)
    )
    assert {answer.status_code for answer in answers} == {202}
    witness = await Witness(stack, order_id).follow()
    assert witness.statuses == ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
    again = await api.post(f"/api/orders/{order_id}/execute")
    assert again.json()["status"] == "CONFIRMED"
    assert stack.chain.executions([order_id]) == {order_id: 1}


async def test_orders_sent_together_are_all_followed_to_their_end(
    stack: Stack, api: httpx.AsyncClient
) -> None:
    ids = await send_bulk(api, swaps(stack, 40))
    witnesses = await asyncio.gather(*(Witness(stack, order_id).follow() for order_id in ids))
    assert {tuple(witness.seqs) for witness in witnesses} == {(1, 2, 3, 4, 5)}
    assert {witness.statuses[-1] for witness in witnesses} == {"CONFIRMED"}
