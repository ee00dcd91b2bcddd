"""`python -m batches.verify bundle.json`: check a published batch without Fairlane.

Exit codes: 0 VERIFIED, 1 VIOLATION, 2 UNCERTAIN. It reads files, and asks the node that it is told.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from batches.bundle import Bundle
from batches.evidence import Anchored, ChainTransaction, Evidence, Listing, Moved
from batches.receipts import SignedReceipt
from batches.records import Malformed
from batches.verification import Verdict, unread, verify
from chains.solana import anchor

# Transactions by signature, and the anchors.
Chain = tuple[Mapping[str, ChainTransaction], Listing | None]

EXIT_CODES = {"VERIFIED": 0, "VIOLATION": 1, "UNCERTAIN": 2}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m batches.verify", description=__doc__)
    parser.add_argument("bundle", type=Path, help="the published bundle")
    parser.add_argument(
        "--earlier",
        type=Path,
        action="append",
        default=[],
        help="a bundle of the market from before it, and again for each further one: those that it"
        " takes something over from, and all between",
    )
    parser.add_argument(
        "--first", action="store_true", help="believe that the market has no batch before it"
    )
    on_chain = parser.add_mutually_exclusive_group()
    on_chain.add_argument("--rpc", metavar="URL", help="a Solana node to ask")
    on_chain.add_argument(
        "--chain",
        type=Path,
        help="JSON of what the chain has: `transactions` by signature, and the `listing` of the"
        " coordinator's anchors",
    )
    parser.add_argument(
        "--receipt",
        type=Path,
        action="append",
        default=[],
        help="JSON of an accepted order or of its receipt: is the order in?",
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    options = parser.parse_args(arguments)
    try:
        earlier = [Bundle.parse(path.read_bytes()) for path in options.earlier]
        receipts = [SignedReceipt.read(path.read_bytes()) for path in options.receipt]
        data = options.bundle.read_bytes()
        chain, listing = _chain(options, data, earlier)
        verdict = judge(data, Evidence(earlier, chain, listing, receipts, options.first))
    except (OSError, Malformed) as error:
        verdict = unread(str(error))
    except Exception as error:
        # Python ends with 1 for what nobody expected, which would tell of a violation.
        verdict = unread(f"{type(error).__name__}: {error}")
    print(as_json(verdict) if options.json else as_text(verdict))
    return EXIT_CODES[verdict.status]


def _chain(options: argparse.Namespace, data: bytes, earlier: Sequence[Bundle]) -> Chain:
    """What the chain has, from where the options say."""
    if options.chain is not None:
        return read_chain(options.chain.read_bytes())
    if options.rpc is None:
        return {}, None
    # Its HTTP client is a package that files do without.
    from batches import chain_reading

    try:
        bundle = Bundle.parse(data)
    except Malformed:
        return {}, None
    reading = asyncio.run(chain_reading.read_at(options.rpc, bundle, earlier))
    return reading.transactions, reading.listing


def judge(data: bytes, evidence: Evidence) -> Verdict:
    """The verdict on a bundle's bytes; step 1 is that they are one, if they say so: what does not
    proves nothing."""
    try:
        bundle = Bundle.parse(data)
    except Malformed as error:
        if error.field == "format":
            return unread(str(error))
        return Verdict("VIOLATION", 1, (str(error),))
    return verify(bundle, evidence)


def read_chain(data: bytes) -> Chain:
    """What a file tells of the chain.

    It has `transactions` by signature with `slot`, `payer`, `memos`, and what token accounts have
    `moved`: `account`, `owner`, `mint`, and `atoms`, which are below zero for what one lost. And,
    if known, a `listing` with `firstSlot`, `lastSlot`, and the `anchors` by `slot` and `memo`.

    Raises:
        Malformed: the bytes are something else.
    """
    try:
        document = json.loads(data)
        listing = document.get("listing")
        found = document["transactions"].items()
        return {name: _transaction(each) for name, each in found}, listing and _listing(listing)
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise Malformed("chain", f"{type(error).__name__}: {error}") from None


def _transaction(found: Mapping[str, Any]) -> ChainTransaction:
    return ChainTransaction(
        slot=int(found["slot"]),
        payer=str(found["payer"]),
        memos=tuple(str(memo) for memo in found.get("memos", ())),
        moved=tuple(
            Moved(str(m["account"]), str(m["owner"]), str(m["mint"]), int(m["atoms"]))
            for m in found.get("moved", ())
        ),
    )


def _listing(found: Mapping[str, Any]) -> Listing:
    anchors = [(int(each["slot"]), anchor.parse(str(each["memo"]))) for each in found["anchors"]]
    slots = int(found["firstSlot"]), int(found["lastSlot"])
    return Listing(*slots, tuple(Anchored(slot, a) for slot, a in anchors if a is not None))


def as_text(verdict: Verdict) -> str:
    step = f" at step {verdict.step}" if verdict.step is not None else ""
    return "\n".join([f"{verdict.status}{step}", *(f"  {reason}" for reason in verdict.reasons)])


def as_json(verdict: Verdict) -> str:
    return json.dumps(
        {"status": verdict.status, "step": verdict.step, "reasons": list(verdict.reasons)}
    )


if __name__ == "__main__":
    sys.exit(main())
