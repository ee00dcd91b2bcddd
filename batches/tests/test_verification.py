"""An honest batch is verified; whatever is tampered with is proven; what is unknown is said."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from batches import merkle
from batches.bundle import Bundle
from batches.evidence import ChainTransaction, Evidence, Listing
from batches.records import Leaf, Malformed, Side
from batches.tests.making import order
from batches.tests.publishing import (
    ANCHOR,
    BASE,
    MARKET,
    QUOTE,
    SETTLEMENT,
    address,
    after,
    closed,
    evidence,
    leaf,
    leaves,
    market_of,
    on_chain,
    paying,
    published,
)
from batches.verification import Verdict, verify
from batches.verify import judge

ROOT = Path(__file__).parents[2]


def verdict(bundle: Bundle, *earlier: Bundle) -> Verdict:
    return verify(bundle, evidence(bundle, *earlier))


def violated(bundle: Bundle, step: int, reason: str, *earlier: Bundle) -> None:
    found = verdict(bundle, *earlier)
    assert (found.status, found.step) == ("VIOLATION", step)
    assert reason in found.reasons[0]


def test_an_honest_batch_is_verified() -> None:
    bundle = published()
    assert len(bundle.result.fills) == 3
    assert verdict(bundle) == Verdict("VERIFIED")


def test_a_bundle_is_read_back_and_has_one_way_to_be_written() -> None:
    bundle = published()
    written = bytes(bundle)
    assert Bundle.parse(written) == bundle
    assert Bundle.parse(written).digest == bundle.digest
    with pytest.raises(Malformed, match="canonically"):
        Bundle.parse(written.replace(b'":', b'": '))


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("header"),
        lambda document: document.update(leaves="no"),
        lambda document: document.update(settlements=[1]),
        lambda document: document["tick"].update(number="1"),
        lambda document: document["tick"].update(headers=[1]),
        lambda document: document["tick"].update(previousAnchor=1),
        lambda document: document.update(settled=1),
        lambda document: document["tick"].update(root="00"),
        lambda document: document["result"].update(poolUsed=1),
        lambda document: document["result"].update(price="x"),
    ],
)
def test_what_is_no_bundle_is_a_violation_of_the_first_step(
    change: Callable[[dict[str, Any]], object],
) -> None:
    document = json.loads(bytes(published()))
    change(document)
    written = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    assert judge(written, Evidence()).step == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[" * 100_000,
        b"[]",
        b"null",
        b'{"title": "Not found"}',
        b'{"format": "fairlane.bundle.2"}',
    ],
)
def test_what_does_not_say_that_it_is_a_bundle_proves_nothing(data: bytes) -> None:
    found = judge(data, Evidence())
    assert (found.status, found.holds(1)) == ("UNCERTAIN", None)


def test_a_cutoff_that_is_not_before_the_target_is_a_violation_of_the_first_step() -> None:
    assert judge(bytes(published(cutoff_slot=120)), Evidence()).step == 1


def test_leaves_that_are_not_those_committed_to_are_proven() -> None:
    bundle = published()
    violated(replace(bundle, leaves=bundle.leaves[::-1]), 2, "ascend")
    violated(replace(bundle, leaves=bundle.leaves[1:]), 2, "counts")
    other = replace(bundle.leaves[0], age=1)
    violated(replace(bundle, leaves=(other, *bundle.leaves[1:])), 2, "root")


def test_another_market_than_orders_name_is_proven() -> None:
    bundle = published()
    for changed in (
        replace(bundle, name="A-C"),
        replace(bundle, base_mint=QUOTE),
        replace(bundle, quote_mint="no address"),
        published(lot=25),
        published(tick=6),
    ):
        violated(changed, 2, "address")


def test_a_band_that_was_chosen_is_proven() -> None:
    assert verdict(published(reference=3_000, first_tick=952)).status == "VERIFIED"
    for chosen in (published(first_tick=2), published(ticks=4_095), published(reference=3_000)):
        violated(chosen, 2, "band")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (leaf(3, market=bytes(32)), "another market"),
        (Leaf(order(3, market=MARKET), bytes(64), 10, 0, 1), "not signed"),
        (leaf(3, expiry_slot=119), "not valid"),
        (leaf(3, from_slot=121), "not valid"),
        (leaf(3, max_fee_bps=24), "fee"),
        (leaf(3, quantity=5, remaining=6), "more or less"),
        (leaf(3, receipt_seq=4), "after the cutoff"),
        (leaf(3, quantity=5, remaining=4), "not whole"),
    ],
)
def test_an_order_that_may_not_be_in_the_batch_is_proven(wrong: Leaf, reason: str) -> None:
    violated(published([*leaves(), wrong]), 3, reason)


def rolled() -> tuple[Bundle, Leaf]:
    """A batch, and what it leaves of the order that it filled in part."""
    first = published()
    partial = next(one for one in first.leaves if one.order.nonce == 2)
    fill = next(f for f in first.result.fills if f.order_hash == partial.order.hash)
    assert 0 < fill.lots < partial.remaining
    return first, replace(partial, remaining=partial.remaining - fill.lots, age=1)


def test_an_order_that_rolled_has_what_its_last_batch_left() -> None:
    first, left = rolled()
    second = after(first, [left])
    assert verdict(second, first) == Verdict("VERIFIED")
    assert verdict(second).status == "UNCERTAIN"
    more, less = (replace(left, remaining=left.remaining + by) for by in (1, -1))
    for wrong in (more, less, replace(left, receipt_seq=4)):
        violated(after(first, [wrong]), 3, left.order.hash.hex(), first)


def test_a_tick_that_does_not_contain_the_header_is_proven() -> None:
    bundle = published()
    low, _, high = bundle.tick.headers
    without = replace(bundle.tick, headers=(low, high), root=merkle.build([low, high]).root)
    violated(replace(bundle, tick=without), 4, "does not contain")
    violated(replace(bundle, tick=replace(bundle.tick, headers=(low, high))), 4, "root")
    violated(replace(bundle, tick=replace(bundle.tick, number=8)), 4, "not in its own")


@pytest.mark.parametrize(
    "change",
    [
        {"memos": ("fairlane1 something else",)},
        {"memos": ()},
        {"payer": "somebody else"},
    ],
)
def test_an_anchor_of_something_else_is_proven(change: dict[str, Any]) -> None:
    bundle = published()
    chain = on_chain(bundle)
    chain[ANCHOR] = replace(chain[ANCHOR], **change)
    assert verify(bundle, replace(evidence(bundle), chain=chain)).step == 4


@pytest.mark.parametrize(("anchored", "settled"), [(120, 121), (118, 118), (118, 117)])
def test_an_anchor_that_is_late_or_not_before_the_settlement_is_proven(
    anchored: int, settled: int
) -> None:
    bundle = published()
    chain = on_chain(bundle)
    chain[ANCHOR] = replace(chain[ANCHOR], slot=anchored)
    chain[SETTLEMENT] = replace(chain[SETTLEMENT], slot=settled)
    assert verify(bundle, Evidence(chain=chain)).step == 5


def test_another_price_fill_or_fee_than_the_clearing_gives_is_proven() -> None:
    bundle = published()
    first, *others = bundle.result.fills
    for result in (
        replace(bundle.result, price=bundle.result.price + 1),
        replace(bundle.result, fills=(replace(first, lots=first.lots - 1), *others)),
        replace(bundle.result, fills=(replace(first, fee=first.fee + 1), *others)),
        replace(bundle.result, fills=tuple(others)),
    ):
        violated(replace(bundle, result=result, result_root=result.root), 6, "as published")
    violated(replace(bundle, result_root=bytes(32)), 6, "root of the fills")


def test_a_batch_that_cannot_be_cleared_is_proven() -> None:
    dear = market_of(tick=2**62)
    two = [leaf(market=dear), leaf(1, market=dear, side=Side.SELL)]
    honest = published(two, market=dear)
    header = replace(honest.header, tick=2**62)
    headers = (honest.tick.headers[0], bytes(header), honest.tick.headers[2])
    tick = replace(honest.tick, headers=headers, root=merkle.build(headers).root)
    violated(replace(honest, header=header, tick=tick), 6, "cannot be cleared")


def test_a_payout_that_falls_short_is_proven() -> None:
    bundle = published()
    first, *others = bundle.payouts
    violated(replace(bundle, payouts=tuple(others)), 7, "less")
    violated(replace(bundle, payouts=(*bundle.payouts, first)), 7, "twice")
    seller = next(p for p in bundle.payouts if p.quote)
    cut = replace(seller, quote=seller.quote - 1)
    payouts = tuple(cut if p is seller else p for p in bundle.payouts)
    violated(replace(bundle, payouts=payouts), 7, "less")


@pytest.mark.parametrize("mint", [BASE, QUOTE])
def test_a_transfer_that_falls_short_is_proven(mint: str) -> None:
    bundle = published()
    chain = on_chain(bundle)
    owner = address(next(p.owner for p in bundle.payouts if (p.base if mint == BASE else p.quote)))
    less = chain[SETTLEMENT].moved + paying(owner, mint, -1)
    chain[SETTLEMENT] = replace(chain[SETTLEMENT], moved=less)
    assert verify(bundle, Evidence(chain=chain)).step == 8


def test_what_is_not_at_hand_is_named_and_proves_nothing() -> None:
    bundle = published()
    found = verify(bundle, Evidence())
    assert found.status == "UNCERTAIN"
    assert found.reasons[0] == "that the market has no batch before this one"
    assert [ANCHOR in found.reasons[1], SETTLEMENT in found.reasons[-1]] == [True, True]
    assert found.unsettled == {3, 4, 5, 8}
    unpaid = replace(bundle, settlements=())
    assert verdict(unpaid) == Verdict("UNCERTAIN", None, ("a settlement",), frozenset({8}))


def test_without_an_anchor_nothing_may_be_filled() -> None:
    bundle = replace(published(), anchor=None)
    violated(bundle, 4, "without an anchor")
    nothing = closed(bundle.header, []).result
    rolled = replace(bundle, result=nothing, result_root=nothing.root, payouts=(), settlements=())
    assert verdict(rolled) == Verdict("UNCERTAIN", None, ("an anchor",), frozenset({4}))


def test_a_pool_part_that_the_header_does_not_allow_is_proven() -> None:
    orders = [leaf(0, nonce=1, side=Side.BUY, limit=1_010, quantity=10)]
    with_pool = published(orders, pool_base=10**7, pool_quote=6 * 10**8)
    assert with_pool.result.pool_lots == 10
    assert verdict(with_pool) == Verdict("VERIFIED")
    violated(replace(with_pool, pool_used=False), 6, "as published")


BLOCKED = """
import runpy, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"django", "celery", "rest_framework", "fairlane", "orders"}:
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Blocked())
runpy.run_module("batches.verify", run_name="__main__", alter_sys=True)
"""


def run(*arguments: str | Path) -> tuple[int, str]:
    command = [sys.executable, "-c", BLOCKED, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def as_document(chain: Mapping[str, ChainTransaction], listing: Listing) -> dict[str, Any]:
    documents: dict[str, Any] = {}
    for signature, found in chain.items():
        documents[signature] = {
            "slot": found.slot,
            "payer": found.payer,
            "memos": list(found.memos),
            "moved": [asdict(each) | {"atoms": str(each.atoms)} for each in found.moved],
        }
    stretch = {"firstSlot": listing.first_slot, "lastSlot": listing.last_slot}
    memos = [*((each.slot, str(each.anchor)) for each in listing.anchors), (1, "fairlane1 else")]
    anchors = [{"slot": slot, "memo": memo} for slot, memo in memos]
    return {"transactions": documents, "listing": {**stretch, "anchors": anchors}}


def test_the_command_needs_no_django_and_tells_its_verdict_by_its_exit_code(
    tmp_path: Path,
) -> None:
    first, left = rolled()
    second = after(first, [left])
    paths = {name: tmp_path / f"{name}.json" for name in ("first", "second", "chain", "cut")}
    paths["first"].write_bytes(bytes(first))
    paths["second"].write_bytes(bytes(second))
    paths["cut"].write_bytes(bytes(replace(first, payouts=first.payouts[1:])))
    found = evidence(first)
    assert found.listing is not None
    document = as_document(found.chain, found.listing)
    paths["chain"].write_text(json.dumps(document))
    assert run(paths["first"], "--chain", paths["chain"], "--first") == (0, "VERIFIED\n")
    assert run(paths["first"])[0] == 2
    paths["chain"].write_text(json.dumps({"transactions": document["transactions"]}))
    code, output = run(paths["first"], "--chain", paths["chain"])
    assert (code, "a list of the coordinator's anchors" in output) == (2, True)
    code, output = run(paths["cut"], "--chain", paths["chain"], "--json")
    assert code == 1
    assert json.loads(output)["step"] == 7
    code, output = run(paths["second"], "--earlier", paths["first"])
    assert code == 2
    assert "with the header" not in output
    assert "with the header" in run(paths["second"])[1]
    code, output = run(tmp_path / "none.json")
    assert (code, output.splitlines()[0]) == (2, "UNCERTAIN")
