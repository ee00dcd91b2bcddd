"""`python -m batches.verify bundle.json`: check a published batch without Fairlane.

Exit codes: 0 VERIFIED, 1 VIOLATION, 2 UNCERTAIN. It reads files and nothing else.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from batches.bundle import Bundle
from batches.evidence import ChainTransaction, Evidence, Listing
from batches.records import Malformed
from batches.verification import Verdict, verify
from chains.solana import anchor

EXIT_CODES = {"VERIFIED": 0, "VIOLATION": 1, "UNCERTAIN": 2}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m batches.verify", description=__doc__)
    parser.add_argument("bundle", type=Path, help="the published bundle")
    parser.add_argument(
        "--earlier",
        type=Path,
        action="append",
        default=[],
        help="a bundle of the market before it; those that it takes something over from, and all"
        " between",
    )
    parser.add_argument(
        "--chain",
        type=Path,
        help="JSON of what the chain has: `transactions` by signature, and the `listing` of the"
        " coordinator's anchors",
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    options = parser.parse_args(arguments)
    try:
        earlier = [Bundle.parse(path.read_bytes()) for path in options.earlier]
        chain, listing = read_chain(options.chain.read_bytes()) if options.chain else ({}, None)
        data = options.bundle.read_bytes()
    except (OSError, Malformed) as error:
        verdict = Verdict("UNCERTAIN", None, (str(error),))
    else:
        verdict = judge(data, Evidence(earlier, chain, listing))
    print(as_json(verdict) if options.json else as_text(verdict))
    return EXIT_CODES[verdict.status]


def judge(data: bytes, evidence: Evidence) -> Verdict:
    """The verdict on a bundle's bytes; step 1 is that they are one."""
    try:
        bundle = Bundle.parse(data)
    except Malformed as error:
        return Verdict("VIOLATION", 1, (str(error),))
    return verify(bundle, evidence)


def read_chain(data: bytes) -> tuple[dict[str, ChainTransaction], Listing | None]:
    """What a file tells of the chain.

    It has `transactions` by signature with `slot`, `payer`, `memos`, and `credits` by owner and
    mint; and, if known, a `listing` with `firstSlot`, `lastSlot`, and the memos of the `anchors`.

    Raises:
        Malformed: the bytes are something else.
    """
    try:
        document = json.loads(data)
        listing = document.get("listing")
        found = document["transactions"].items()
        return {name: _transaction(each) for name, each in found}, listing and _listing(listing)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise Malformed("chain", f"{type(error).__name__}: {error}") from None


def _transaction(found: Mapping[str, Any]) -> ChainTransaction:
    return ChainTransaction(
        slot=int(found["slot"]),
        payer=str(found["payer"]),
        memos=tuple(str(memo) for memo in found.get("memos", ())),
        credits={
            (owner, mint): int(amount)
            for owner, by_mint in found.get("credits", {}).items()
            for mint, amount in by_mint.items()
        },
    )


def _listing(found: Mapping[str, Any]) -> Listing:
    anchors = [anchor.parse(str(memo)) for memo in found["anchors"]]
    slots = int(found["firstSlot"]), int(found["lastSlot"])
    return Listing(*slots, tuple(each for each in anchors if each is not None))


def as_text(verdict: Verdict) -> str:
    step = f" at step {verdict.step}" if verdict.step is not None else ""
    return "\n".join([f"{verdict.status}{step}", *(f"  {reason}" for reason in verdict.reasons)])


def as_json(verdict: Verdict) -> str:
    return json.dumps(
        {"status": verdict.status, "step": verdict.step, "reasons": list(verdict.reasons)}
    )


if __name__ == "__main__":
    sys.exit(main())
