"""manage.py verify_batch: whether a published batch is what it should be, step by step."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import DatabaseError
from solders.pubkey import Pubkey

from batches import (
    chain_reading,
    publication,
    representation,
    selectors,
    verification,
    verify,
)
from batches.bundle import Bundle
from batches.chain_reading import Reading
from batches.evidence import Evidence
from batches.inclusion import Absent, Included, Placed, prove
from batches.models import Batch, Market
from batches.receipts import SignedReceipt
from batches.records import Malformed
from chains import registry as adapters
from fairlane.core.errors import Problem, not_found

logger = structlog.get_logger(__name__)

# A file that cannot be read, a database that does not answer, rows that make no bundle.
EXPECTED = (OSError, DatabaseError, Malformed)
MARKS = {True: "holds ", False: "BROKEN", None: "?     "}


def batch_name(text: str) -> tuple[str, int]:
    """A market and the number of its batch, from `SOL-USDC/1234`."""
    market, _, number = text.rpartition("/")
    if not market or not number.isascii() or not number.isdigit():
        raise ArgumentTypeError(f"{text} is no batch: MARKET/NUMBER is one")
    return market, int(number)


def order_hash(text: str) -> bytes:
    """The 32 bytes of an order's hash."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != 32:
        raise ArgumentTypeError(f"{text} is no hash of an order: 64 hexadecimal digits are")
    return data


class Command(BaseCommand):
    """Verify a batch; nothing is written."""

    help = (
        "Verify a published batch against the chain. Exit codes: 0 VERIFIED, 1 VIOLATION,"
        " 2 UNCERTAIN, also where it could not be verified at all."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "batch", type=batch_name, metavar="MARKET/BATCH", help="such as SOL-USDC/1234"
        )
        parser.add_argument(
            "--bundle", type=Path, metavar="FILE", help="the published bundle; default: made here"
        )
        parser.add_argument(
            "--receipt",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="JSON of an accepted order or of its receipt: is the order in?",
        )
        parser.add_argument("--rpc", metavar="URL", help="the node to ask; default: the settings'")
        parser.add_argument(
            "--order",
            type=order_hash,
            metavar="HASH",
            help="prove that it is in, or is not",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, batch: tuple[str, int], **options: Any) -> None:
        report: dict[str, Any] = {"market": batch[0], "batchNo": batch[1]}
        try:
            receipts = [SignedReceipt.read(path.read_bytes()) for path in options["receipt"]]
            report |= _report(batch, options["bundle"], options["rpc"], options["order"], receipts)
        except Problem as problem:
            report |= representation.verdict(verification.unread(problem.title))
        except EXPECTED as error:
            report |= representation.verdict(verification.unread(str(error)))
        except Exception as error:
            # Python ends with 1 for what nobody expected, which would tell of a violation.
            logger.exception("verify_batch.failed", market=batch[0], batch=batch[1])
            report |= representation.verdict(
                verification.unread(f"{type(error).__name__}: {error}")
            )
        self.stdout.write(json.dumps(report) if options["json"] else _text(report))
        code = verify.EXIT_CODES[report["status"]]
        if code:
            raise SystemExit(code)


def _report(
    name: tuple[str, int],
    path: Path | None,
    rpc: str | None,
    order: bytes | None,
    receipts: Sequence[SignedReceipt],
) -> dict[str, Any]:
    """The verdict and the proof that was asked for."""
    market = selectors.market(name[0])
    row = Batch.objects.filter(market=market, number=name[1]).select_related("market", "tick")
    batch = row.first()
    if path is not None:
        data = path.read_bytes()
    elif batch is not None:
        data = bytes(publication.bundle(batch))
    else:
        raise not_found(f"{market.name} has no batch {name[1]}")
    try:
        bundle = Bundle.parse(data)
    except Malformed:
        return representation.verdict(verify.judge(data, Evidence()), batch)
    _require(bundle, market, name[1])
    earlier = publication.earlier(batch, bundle, most=None) if batch is not None else []
    reading = adapters.run(_read(bundle, earlier, rpc))
    is_first = batch is not None and not earlier
    evidence = Evidence(earlier, reading.transactions, reading.listing, receipts, is_first)
    report = {
        "bundle": bundle.digest.hex(),
        **representation.verdict(verification.verify(bundle, evidence), batch),
    }
    return report if order is None else report | {"order": _proof(bundle, order)}


def _require(bundle: Bundle, market: Market, number: int) -> None:
    """The file is of the batch that was named, or its verdict would be taken for another's."""
    header = bundle.header
    if (str(Pubkey.from_bytes(header.market)), header.batch_no) != (market.address, number):
        raise Malformed(
            "bundle", f"is of batch {header.batch_no} of {Pubkey.from_bytes(header.market)}"
        )


async def _read(bundle: Bundle, earlier: Sequence[Bundle], rpc: str | None) -> Reading:
    """What the node has; of one that does not answer, nothing."""
    if rpc is None:
        return await chain_reading.read(adapters.solana(), bundle, earlier)
    return await chain_reading.read_at(rpc, bundle, earlier)


def _proof(bundle: Bundle, order: bytes) -> dict[str, Any]:
    """Where the order is, or between which two it would be, and whether the root proves it."""
    header = bundle.header
    found = prove(bundle.leaves, order)
    told = {
        "orderHash": order.hex(),
        "included": isinstance(found, Included),
        "proven": found.proves(order, root=header.root, size=header.count),
        "root": header.root.hex(),
        "size": header.count,
    }
    if isinstance(found, Absent):
        return told | {"before": _place(found.before), "after": _place(found.after)}
    fills = {fill.order_hash: fill for fill in bundle.result.fills}
    fill = fills.get(order)
    return told | {
        "index": found.placed.index,
        "fill": fill and {"lots": fill.lots, "quote": str(fill.quote), "fee": str(fill.fee)},
    }


def _place(placed: Placed | None) -> dict[str, Any] | None:
    if placed is None:
        return None
    return {"index": placed.index, "orderHash": placed.leaf.order.hash.hex()}


def _text(report: Mapping[str, Any]) -> str:
    step = f" at step {report['step']}" if report["step"] else ""
    lines = [f"{report['market']}/{report['batchNo']}  {report['status']}{step}"]
    # Reading the bundle settles the first step: without that, nothing was checked.
    checked = report["steps"] if report["steps"][0]["holds"] is not None else []
    lines += [f"  {MARKS[s['holds']]}  {s['step']} {s['title']}" for s in checked]
    lines += [f"  {reason}" for reason in report["reasons"]]
    if report["note"]:
        lines.append(f"  {report['note']}")
    if "order" in report:
        lines.append(f"  order {_order_text(report['order'])}")
    return "\n".join(lines)


def _order_text(order: Mapping[str, Any]) -> str:
    if not order["proven"]:
        return f"{order['orderHash']}: the bundle proves neither that it is in nor that it is not"
    if order["included"]:
        fill = order["fill"]
        got = f"{fill['lots']} lots are filled" if fill else "nothing is filled"
        return f"{order['orderHash']} is in: {order['index'] + 1} of {order['size']}, {got}"
    beside = [order[side]["orderHash"] for side in ("before", "after") if order[side]]
    return f"{order['orderHash']} is not in" + (
        f": beside {' and '.join(beside)}" if beside else ""
    )
