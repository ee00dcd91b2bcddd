"""Frames of the compliance service, stored with what they ask for in one transaction."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
import structlog
from django.conf import settings
from django.db import transaction

from fairlane.core import bulk, checkpoints
from stablecoin import intake, kuro_events
from stablecoin.intake import NewRequest
from stablecoin.kuro_events import Malformed, MintApproved, Parsed
from stablecoin.models import Kind, KuroEvent, Source

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A frame as it is kept, with what it means."""

    digest: bytes
    text: str
    parsed: Parsed


def store(frames: Sequence[object]) -> None:
    """Store what frames ask for. The same frame again, from whichever source, changes nothing.

    Args:
        frames: text or bytes of the socket, or decoded values of the REST interface.
    """
    entries = {entry.digest: entry for entry in map(_entry, frames)}
    checkpoints.reach("stablecoin.kuro.received")
    with transaction.atomic():
        known = KuroEvent.objects.filter(digest__in=list(entries)).values_list("digest", flat=True)
        for digest in known:
            entries.pop(bytes(digest), None)
        _accept([e for e in entries.values() if isinstance(e.parsed, MintApproved)])
        _reject([e for e in entries.values() if isinstance(e.parsed, Malformed)])
    checkpoints.reach("stablecoin.kuro.stored")


def _entry(frame: object) -> Entry:
    parsed = kuro_events.parse(frame)
    if isinstance(parsed, MintApproved) and parsed.chain_id not in settings.EVM_CHAINS:
        parsed = Malformed(f"chainId: {parsed.chain_id} is not served here", parsed.request_id)
    # What it asks for tells frames apart, not how it is written: both sources bring the same one.
    text = _text(frame)
    content = repr(parsed) if isinstance(parsed, MintApproved) else text
    return Entry(hashlib.sha256(content.encode()).digest(), text, parsed)


def _text(frame: object) -> str:
    """The frame as text that a database takes: cut, without NULs and broken surrogates."""
    if isinstance(frame, bytes):
        text = frame.decode(errors="replace")
    elif isinstance(frame, str):
        text = frame
    else:
        try:
            text = orjson.dumps(frame).decode()
        except TypeError:
            text = repr(frame)
    cut = text[: kuro_events.MAX_FRAME_BYTES].replace("\x00", "�")
    return cut.encode(errors="replace").decode()


def _accept(entries: Sequence[Entry]) -> None:
    approved = [(e, e.parsed) for e in entries if isinstance(e.parsed, MintApproved)]
    receipts = intake.receive([_request(parsed) for _, parsed in approved])
    bulk.insert(
        KuroEvent,
        [
            {
                "digest": entry.digest,
                "frame": entry.text,
                "outcome": "conflict" if receipt.outcome == "conflict" else "accepted",
                "reason": "" if receipt.outcome != "conflict" else "the request has other content",
                "request_id": parsed.request_id,
            }
            for (entry, parsed), receipt in zip(approved, receipts, strict=True)
        ],
        ignore_conflicts=True,
    )


def _reject(entries: Sequence[Entry]) -> None:
    for entry in entries:
        assert isinstance(entry.parsed, Malformed)
        logger.warning("kuro.frame_rejected", reason=entry.parsed.reason)
    bulk.insert(
        KuroEvent,
        [
            {
                "digest": e.digest,
                "frame": e.text,
                "outcome": "rejected",
                "reason": e.parsed.reason[:200],
                "request_id": e.parsed.request_id,
            }
            for e in entries
            if isinstance(e.parsed, Malformed)
        ],
        ignore_conflicts=True,
    )


def _request(parsed: MintApproved) -> NewRequest:
    return NewRequest(
        kind=Kind.MINT,
        chain_id=parsed.chain_id,
        request_id=parsed.request_id,
        wallet=parsed.user,
        amount=parsed.amount,
        source=Source.KURO,
        created_by=Source.KURO,
        reference=parsed.reference,
    )
