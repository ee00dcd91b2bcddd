"""Output of the processes: all of it to a log each, the essence to the console."""

import json
import sys
from typing import Any, BinaryIO

from honcho.manager import SYSTEM_PRINTER_NAME
from honcho.printer import Message, Printer

from sandbox.home import Home

DOORMAN = "sandbox"
# Several orders of batches come each second: more than anybody reads.
TRAFFIC = ("traffic", "traffic-stablecoin")
# What every line of ours carries and nobody watching a demo wants to read.
HIDDEN_FIELDS = {"event", "level", "timestamp", "logger", "request_id"}
# At these levels only the events of our own code are of interest, and not each request.
CALM_LEVELS = {"debug", "info"}
OWN_LOGGERS = ("fairlane.", "orders.", "stablecoin.", "batches.", "chains.", "sandbox.")
REQUEST_LOGGER = "fairlane.http"
ALARMING = (b"Traceback", b"ERROR", b"CRITICAL", b"FATAL", b"PANIC")


class CompactPrinter(Printer):  # type: ignore[misc]
    """Writes each process's lines to its log, and those worth a look to the console."""

    def __init__(self, home: Home) -> None:
        super().__init__(sys.stdout)
        self._home = home
        self._logs: dict[str, BinaryIO] = {}

    def write(self, message: Message) -> None:
        data = message.data if isinstance(message.data, bytes) else message.data.encode()
        self._log(message.name).write(data)
        if message.name == DOORMAN:
            print(data.decode(errors="replace"), end="", flush=True)
        elif message.name != SYSTEM_PRINTER_NAME:
            shown = data.decode(errors="replace") if message.name in TRAFFIC else essence(data)
            if shown:
                super().write(message._replace(data=shown))

    def _log(self, name: str) -> BinaryIO:
        if name not in self._logs:
            self._logs[name] = self._home.log(name).open("ab", buffering=0)
        return self._logs[name]


def essence(line: bytes) -> str:
    """A structured line in short, an alarming one as it is, nothing of any other."""
    try:
        entry: Any = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or "event" not in entry:
        return line.decode(errors="replace") if any(sign in line for sign in ALARMING) else ""
    calm = entry.get("level") in CALM_LEVELS
    if calm and not _is_of_interest(entry):
        return ""
    fields = (f"{name}={value}" for name, value in entry.items() if name not in HIDDEN_FIELDS)
    level = [] if calm else [str(entry.get("level")).upper()]
    return " ".join([*level, str(entry["event"]), *fields])


def _is_of_interest(entry: dict[str, Any]) -> bool:
    logger = str(entry.get("logger"))
    return logger.startswith(OWN_LOGGERS) and logger != REQUEST_LOGGER
