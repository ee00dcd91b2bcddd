"""What the service has approved: kept in a file, of which every line is one thing that happened."""

import json
import secrets
import time
from pathlib import Path
from typing import Any


class Approvals:
    """Approvals in their order, and which of them are settled."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._approved: dict[str, dict[str, Any]] = {}
        self._settled: set[str] = set()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            for line in path.read_text().splitlines():
                self._apply(json.loads(line))

    @property
    def approved(self) -> list[dict[str, Any]]:
        return list(self._approved.values())

    @property
    def pending(self) -> list[dict[str, Any]]:
        return [event for name, event in self._approved.items() if name not in self._settled]

    def approve(self, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Approve mints; returns their events. A request id that is known is refused.

        Raises:
            ValueError: an item lacks something, or names a known request.
        """
        events = [_event(item) for item in asked]
        if any(event["requestId"] in self._approved for event in events):
            raise ValueError("a request of this id was approved before")
        self._write([{"approved": event} for event in events])
        return events

    def settle(self, names: list[str]) -> None:
        """Take approvals off what is pending."""
        self._write([{"settled": name} for name in names if name in self._approved])

    def _write(self, lines: list[dict[str, Any]]) -> None:
        with self._path.open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        for line in lines:
            self._apply(line)

    def _apply(self, line: dict[str, Any]) -> None:
        if "approved" in line:
            self._approved[line["approved"]["requestId"]] = line["approved"]
        else:
            self._settled.add(line["settled"])


def _event(item: dict[str, Any]) -> dict[str, Any]:
    try:
        event = {
            "requestId": item.get("requestId") or f"kuro-{secrets.token_hex(8)}",
            "user": item["user"],
            "amount": str(item["amount"]),
            "fiatRef": item.get("fiatRef", ""),
            "timestamp": time.time_ns() // 1_000_000,
        }
    except (KeyError, AttributeError):
        raise ValueError("user and amount are asked for") from None
    return event | ({"chainId": item["chainId"]} if "chainId" in item else {})
