"""The page's own reasoning, asked directly: scripts run in the browser they are written for."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from solders.pubkey import Pubkey

from batches import merkle
from batches.bundle import Bundle
from batches.inclusion import Absent, Included, Placed, prove
from batches.records import Leaf
from batches.tests.publishing import MARKET, closed, leaf, published
from tests.browser.trade.test_modules import evaluate
from tests.browser.visitor import Visitor

ADDRESS = str(Pubkey.from_bytes(MARKET))


@pytest.fixture
def page(open_browser: Any) -> Visitor:
    visitor: Visitor = open_browser(800, 600)
    visitor.go("/sign-in")
    return visitor


def test_a_count_down_goes_by_the_servers_clock(page: Visitor) -> None:
    script = """
        const clock = new m.Clock();
        const eta = "2026-11-26T12:00:10.000Z";
        const mine = Date.parse("2026-11-26T13:00:00.000Z");
        clock.learn(eta, 4_000, mine);
        const texts = [-5, 0, 40, 99, 100, 1_990, 59_999, 60_000, 754_000].map(m.countdown);
        return [clock.left(eta, mine), clock.left(eta, mine + 1_500), ...texts];
    """
    assert evaluate(page, "countdown", script) == [
        *[4_000, 2_500],
        *["now", "now", "0.0 s", "0.0 s", "0.1 s", "1.9 s", "59.9 s", "1:00 min", "12:34 min"],
    ]


def test_curves_are_drawn_as_steps(page: Visitor) -> None:
    script = """
        const demand = [[100, 9], [104, 5], [200, 2]];
        const supply = [[1, 1], [102, 4], [106, 8]];
        const same = (value) => value;
        const lots = (at, steps) => [99, 100, 101, 104, 105, 201].map((tick) => at(steps, tick));
        return [
            lots(m.demandAt, demand), lots(m.supplyAt, supply),
            m.demandPath(demand, [98, 108], same, same),
            m.supplyPath(supply, [98, 108], same, same),
        ];
    """
    assert evaluate(page, "steps", script) == [
        [9, 9, 5, 5, 2, 0],
        [1, 1, 1, 4, 4, 8],
        "M98,9H100V5H104V2H108",
        "M98,1H102V4H106V8H108",
    ]


def test_a_chart_shows_the_prices_around_the_clearing_price(page: Visitor) -> None:
    script = """
        const band = {firstTick: 1, ticks: 400};
        const curve = {...band, demand: [[98, 3], [400, 1]], supply: [[1, 1], [104, 2]]};
        const empty = {...band, demand: [], supply: []};
        const [low, high] = m.rangeOf(curve, 100);
        return [100 - low === high - 100, low < 98, high > 104, high < 120, m.rangeOf(empty, 100),
                m.marks([157.76, 159.1], 3), m.marks([0, 0.7], 3), m.marks([5, 5], 3)];
    """
    assert evaluate(page, "steps", script) == [
        *[True] * 4,
        [97, 103],
        [158, 158.5, 159],
        pytest.approx([0, 0.5]),
        [5],
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
def test_the_browser_climbs_every_tree_as_the_server_does(page: Visitor, size: int) -> None:
    leaves = [bytes([number]) * 40 for number in range(size)]
    tree = merkle.build(leaves)
    placed = [
        {"leaf": data.hex(), "index": index, "proof": [one.hex() for one in tree.proof(index)]}
        for index, data in enumerate(leaves)
    ]
    script = f"""
        const ways = await Promise.all({json.dumps(placed)}.map((one) => m.climb(one, {size})));
        return ways.map((way) => way?.at(-1));
    """
    assert (
        evaluate(page, "merkle", f"return (async () => {{ {script} }})();")
        == [tree.root.hex()] * size
    )


def test_what_can_be_of_no_such_tree_leads_nowhere(page: Visitor) -> None:
    script = """
        const leaf = "00", one = "11".repeat(32);
        return Promise.all([
            m.climb({leaf, index: 2, proof: [one]}, 2),
            m.climb({leaf, index: 0, proof: []}, 2),
            m.climb({leaf, index: 0, proof: [one, one]}, 2),
            m.climb({leaf, index: -1, proof: []}, 1),
        ]);
    """
    assert evaluate(page, "merkle", script) == [None] * 4


def test_addresses_are_written_as_elsewhere(page: Visitor) -> None:
    keys = [bytes(32), MARKET, bytes([255]) * 32, sha256(b"any").digest()]
    script = f"return {json.dumps([key.hex() for key in keys])}.map(m.base58);"
    assert evaluate(page, "merkle", script) == [str(Pubkey.from_bytes(key)) for key in keys]


def _placed(placed: Placed | None) -> dict[str, Any] | None:
    if placed is None:
        return None
    proof = [sibling.hex() for sibling in placed.proof]
    return {"index": placed.index, "leaf": bytes(placed.leaf).hex(), "proof": proof}


def answer(order_hash: bytes, orders: list[Leaf] | None = None) -> dict[str, Any]:
    """What the API says of an order in a batch."""
    bundle = published(orders)
    found = prove(bundle.leaves, order_hash)
    own: dict[str, Any]
    match found:
        case Included(placed):
            own = {"included": True, **(_placed(placed) or {})}
        case Absent(before, after):
            own = {"included": False, "before": _placed(before), "after": _placed(after)}
    return {
        **own,
        "size": bundle.header.count,
        "root": bundle.header.root.hex(),
        **_in_tick(bundle),
        "anchorSignature": "signature",
        "anchorSlot": 118,
    }


def _in_tick(bundle: Bundle) -> dict[str, Any]:
    """A batch's place in its tick."""
    tree = merkle.build(bundle.tick.headers)
    index = bundle.tick.headers.index(bytes(bundle.header))
    return {
        "header": bytes(bundle.header).hex(),
        "tickIndex": index,
        "tickSize": tree.size,
        "tickProof": [sibling.hex() for sibling in tree.proof(index)],
        "tickRoot": tree.root.hex(),
    }


def steps(page: Visitor, proof: dict[str, Any], order_hash: bytes, number: int = 7) -> list[Any]:
    claim = {"hash": order_hash.hex(), "number": number, "address": ADDRESS}
    script = f"""
        return m.proofSteps({json.dumps(proof)}, {json.dumps(claim)})
            .then((steps) => steps.map(({{holds}}) => holds));
    """
    found: list[Any] = evaluate(page, "proof", script)
    return found


def test_a_proof_holds_until_anything_in_it_is_another(page: Visitor) -> None:
    wanted = published().leaves[0].order.hash
    proof = answer(wanted)
    assert steps(page, proof, wanted) == [True] * 5
    other = "00" * 32
    assert steps(page, {**proof, "proof": [other, *proof["proof"][1:]]}, wanted)[1] is False
    assert steps(page, {**proof, "leaf": proof["leaf"][:-2] + "ff"}, wanted)[1] is False
    assert steps(page, {**proof, "tickProof": [other, other]}, wanted)[3] is False
    assert steps(page, proof, published().leaves[1].order.hash)[0] is False
    assert steps(page, proof, wanted, number=8)[2] is False
    assert steps(page, {**proof, "anchorSlot": None}, wanted)[4] is None
    assert steps(page, {**proof, "anchorSlot": 120}, wanted)[4] is False


def test_another_batch_of_the_same_orders_is_no_proof(page: Visitor) -> None:
    wanted = published().leaves[0].order.hash
    bundle = published()
    other = closed(replace(bundle.header, batch_no=8), list(bundle.leaves))
    proof = {**answer(wanted), **_in_tick(other)}
    assert steps(page, proof, wanted) == [True, True, False, True, True]


@pytest.mark.parametrize("place", ["first", "between", "last"])
def test_an_order_that_was_left_out_is_proven_to_be(page: Visitor, place: str) -> None:
    orders = sorted((leaf(nonce=n) for n in range(5)), key=lambda one: one.order.hash)
    left_out = orders.pop({"first": 0, "between": 2, "last": 4}[place])
    wanted = left_out.order.hash
    proof = answer(wanted, orders)
    assert proof["included"] is False
    assert steps(page, proof, wanted) == [True] * 6
    # An order that is there cannot be denied with any neighbours.
    assert steps(page, proof, orders[1].order.hash)[:2] != [True, True]
