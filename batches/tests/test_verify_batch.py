"""manage.py verify_batch: what it finds, what it proves of an order, and how it ends."""

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings
from solders.signature import Signature

from batches import publication
from batches.models import Batch, BatchOrder, Market
from batches.records import Side
from batches.tests import driving
from batches.tests.driving import place
from batches.tests.outside import OWNERS, Chain
from chains import registry as adapters
from sandbox.home import REPOSITORY

NOBODY = "http://127.0.0.1:9"


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


def run(name: object, *options: object) -> tuple[int, str]:
    """The exit code, and what was printed."""
    said = StringIO()
    try:
        call_command("verify_batch", str(name), *map(str, options), stdout=said)
    except SystemExit as ended:
        return int(ended.code or 0), said.getvalue()
    return 0, said.getvalue()


def report(name: object, *options: object) -> tuple[int, dict[str, Any]]:
    code, said = run(name, "--json", *options)
    return code, json.loads(said)


def name_of(batch: Batch) -> str:
    return f"{batch.market.name}/{batch.number}"


def written(batch: Batch, path: Path, **changes: object) -> Path:
    """The bundle in a file, with changes to its document."""
    document = json.loads(bytes(publication.bundle(batch))) | changes
    path.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")) + "\n")
    return path


def test_a_settled_batch_is_verified_here_from_its_file_and_by_another_node(
    batch: Batch, chain: Chain, tmp_path: Path, settings: Settings
) -> None:
    code, said = run(name_of(batch))
    assert code == 0, said
    assert said.startswith(f"{name_of(batch)}  VERIFIED\n")
    assert said.count("holds") == 8
    file = written(batch, tmp_path / "bundle.json")
    settings.SOLANA_RPC_URL = NOBODY
    adapters.forget()
    code, found = report(name_of(batch), "--bundle", file, "--rpc", chain.url)
    assert (code, found["status"], found["reasons"]) == (0, "VERIFIED", [])
    assert found["bundle"] == publication.bundle(batch).digest.hex()
    assert [step["holds"] for step in found["steps"]] == [True] * 8


def test_anyone_verifies_with_a_node_and_without_fairlane(
    batch: Batch, chain: Chain, tmp_path: Path
) -> None:
    file = written(batch, tmp_path / "bundle.json")
    for url, code, said in ((chain.url, 0, "VERIFIED\n"), (NOBODY, 2, "UNCERTAIN\n")):
        ended = alone(file, "--first", "--rpc", url)
        assert (ended.returncode, ended.stdout[: len(said)]) == (code, said), ended.stderr


def alone(*options: object) -> subprocess.CompletedProcess[str]:
    """The verifier by itself, in a process that cannot import Django."""
    hidden = "import sys; sys.modules['django'] = None; "
    program = f"{hidden}from batches.verify import main; sys.exit(main())"
    command = [sys.executable, "-c", program, *map(str, options)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_the_order_of_a_receipt_is_looked_for(batch: Batch, tmp_path: Path) -> None:
    order = BatchOrder.objects.get(side=Side.SELL)
    receipt = {
        "record": bytes(order.receipt).hex(),
        "signature": str(Signature.from_bytes(bytes(order.receipt_signature))),
    }
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps({"id": str(order.id), "receipt": receipt}))
    assert run(name_of(batch), "--receipt", file)[0] == 0
    file.write_text(json.dumps(receipt | {"signature": str(Signature.default())}))
    code, said = run(name_of(batch), "--receipt", file)
    assert code == 2
    assert f"receipt {order.receipt_seq} is not signed by the market's key" in said


def test_an_order_is_proven_to_be_in_and_another_not_to_be(batch: Batch) -> None:
    sell = BatchOrder.objects.get(side=Side.SELL)
    code, found = report(name_of(batch), "--order", sell)
    proof = found["order"]
    assert (code, proof["included"], proof["proven"], proof["size"]) == (0, True, True, 2)
    assert proof["fill"] == {"lots": 6, "quote": "3060000", "fee": "3060"}
    _, said = run(name_of(batch), "--order", sell)
    assert f"order {sell} is in: {proof['index'] + 1} of 2, 6 lots are filled" in said
    _, found = report(name_of(batch), "--order", "00" * 32)
    hashes = sorted(str(order) for order in BatchOrder.objects.all())
    assert (found["order"]["included"], found["order"]["proven"]) == (False, True)
    assert found["order"]["before"] is None
    assert found["order"]["after"] == {"index": 0, "orderHash": hashes[0]}
    _, said = run(name_of(batch), "--order", "00" * 32)
    assert f"order {'00' * 32} is not in: beside {hashes[0]}" in said


def test_a_violation_needs_no_node(batch: Batch, tmp_path: Path) -> None:
    wrong = written(batch, tmp_path / "wrong.json", payouts=[])
    for rpc in ((), ("--rpc", NOBODY)):
        code, found = report(name_of(batch), "--bundle", wrong, *rpc)
        assert (code, found["status"], found["step"]) == (1, "VIOLATION", 7)
        assert [step["holds"] for step in found["steps"][6:]] == [False, None]


def test_a_file_that_is_no_canonical_bundle_breaks_the_first_step(
    batch: Batch, tmp_path: Path
) -> None:
    file = tmp_path / "spaced.json"
    file.write_text(json.dumps(json.loads(bytes(publication.bundle(batch)))))
    code, said = run(name_of(batch), "--bundle", file)
    assert code == 1
    assert "VIOLATION at step 1" in said
    assert said.count("BROKEN") == 1


def test_an_order_left_out_of_a_forged_bundle_is_not_proven_to_be_missing(
    batch: Batch, tmp_path: Path
) -> None:
    document = json.loads(bytes(publication.bundle(batch)))
    forged = written(batch, tmp_path / "forged.json", leaves=document["leaves"][:1])
    left_out = sorted(str(order) for order in BatchOrder.objects.all())[1]
    code, said = run(name_of(batch), "--bundle", forged, "--order", left_out)
    assert code == 1
    assert f"{left_out}: the bundle proves neither" in said


def test_what_cannot_be_told_is_uncertain_and_says_what_is_missing(
    batch: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, found = report(name_of(batch), "--rpc", NOBODY)
    assert (code, found["status"], found["step"]) == (2, "UNCERTAIN", None)
    assert "anchor" in found["reasons"][0]
    assert "settlement" in found["reasons"][-1]
    assert (found["steps"][1]["holds"], found["steps"][3]["holds"]) == (True, None)
    code, said = run(name_of(batch), "--bundle", tmp_path / "none.json")
    assert code == 2
    assert "No such file" in said
    for name, reason in (("NOPE/1", "no such market"), ("JUP-USDC/1", "has no batch 1")):
        code, said = run(name)
        assert code == 2
        assert reason in said
        assert len(said.splitlines()) == 2, said
    planned = Batch.objects.filter(status="PLANNED").latest("number")
    code, said = run(name_of(planned))
    assert code == 2
    assert "not published yet" in said
    # Python ends with 1 for what nobody expected, and 1 tells of a violation.
    monkeypatch.setattr(publication, "bundle", lambda _: 1 / 0)
    code, found = report(name_of(batch))
    assert (code, found["reasons"]) == (2, ["ZeroDivisionError: division by zero"])
    assert [step["holds"] for step in found["steps"]] == [None] * 8


def test_a_file_of_another_batch_says_nothing_of_this_one(batch: Batch, tmp_path: Path) -> None:
    file = written(batch, tmp_path / "bundle.json")
    code, said = run(f"{batch.market.name}/{batch.number + 1}", "--bundle", file)
    assert code == 2
    assert f"is of batch {batch.number} of {batch.market.address}" in said


@pytest.mark.parametrize(
    "arguments", [("JUP-USDC",), ("JUP-USDC/x",), ("JUP-USDC/-1",), ("JUP-USDC/1", "--order", "zz")]
)
def test_what_names_no_batch_or_order_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)
