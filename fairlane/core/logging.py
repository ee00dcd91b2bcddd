"""Structured logs: JSON lines or a console, one format for structlog and the standard library."""

from __future__ import annotations

import logging.config
import re
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_HIDDEN = "[hidden]"
_SECRET_NAME = re.compile(
    r"authorization|cookie|password|passwd|secret|token|ticket|api_?key|private|keypair|seed",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"flk_[A-Za-z0-9_-]+"  # API keys
    r"|(?<=://)[^/\s@]+(?=@)"  # the user and password of a URL
    r"|(?<=[?&]ticket=)[^&\s\"']+"
    r"|(?<=/sign-in/)[A-Za-z0-9_-]+"
    r"|(?<=[Bb]earer )\S+"
    r"|\[(?:\s*\d{1,3}\s*,){31,}\s*\d{1,3}\s*\]"  # a Solana CLI keypair
)
# Fields whose names look secret and are not.
_PLAIN_NAMES = frozenset({"input_token", "output_token", "token"})


def configure(config: Mapping[str, str]) -> None:
    """Set up structlog and the standard library; `LOGGING_CONFIG` of the settings."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [*shared, structlog.stdlib.ExtraAdder()],
                    "processors": _finish(config["format"]),
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"handlers": ["stderr"], "level": config["level"]},
            "loggers": {
                # Each request is logged once, by our own middleware.
                "uvicorn.access": {"level": "WARNING", "propagate": False},
                "django.request": {"level": "ERROR"},
                "httpx": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
                "celery.worker.strategy": {"level": "WARNING"},
            },
        }
    )


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Hide secrets by the name of their field and by their look."""
    return {
        name: _HIDDEN if _is_secret(name) else _redacted(value) for name, value in event.items()
    }


def _is_secret(name: str) -> bool:
    return name not in _PLAIN_NAMES and _SECRET_NAME.search(name) is not None


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_TEXT.sub(_HIDDEN, value)
    if isinstance(value, Mapping):
        return {
            name: _HIDDEN if _is_secret(str(name)) else _redacted(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return _redacted(str(value)) if len(value) >= 32 else [_redacted(item) for item in value]
    return value


def _finish(style: str) -> list[Processor]:
    """The processors at the end, for our own events and for the standard library's."""
    drop = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if style == "console":
        return [
            drop,
            structlog.processors.format_exc_info,
            redact,
            structlog.dev.ConsoleRenderer(pad_event_to=0),
        ]
    return [
        drop,
        structlog.processors.format_exc_info,
        redact,
        structlog.processors.JSONRenderer(serializer=_to_json),
    ]


def _to_json(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
