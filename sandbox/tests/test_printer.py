"""What of the processes' output reaches the console."""

import json

import pytest

from sandbox.printer import essence


def line(**entry: object) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def test_an_event_is_shown_with_its_ids_only() -> None:
    entry = line(
        event="order_confirmed", level="info", timestamp="…", logger="orders.x", order_id="7"
    )
    assert essence(entry) == "order_confirmed order_id=7"


def test_a_level_above_info_is_named() -> None:
    assert essence(line(event="venue_down", level="warning")) == "WARNING venue_down"


@pytest.mark.parametrize(
    "quiet",
    [
        line(event="x", level="debug", logger="uvicorn.error"),
        line(event="request", level="info", logger="fairlane.http"),
        b"listening on 8899\n",
        b"3\n",
        b"{}\n",
        b"\xff\n",
    ],
)
def test_chatter_stays_in_the_log(quiet: bytes) -> None:
    assert essence(quiet) == ""


def test_alarming_lines_are_shown_as_they_are() -> None:
    assert essence(b"FATAL:  disk full\n") == "FATAL:  disk full\n"
