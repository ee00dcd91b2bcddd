"""Rows of the kernel."""

from .access import ApiKey, AuditEntry, IdempotencyRecord, SignInLink, Switch
from .events import Event, RelayCursor
from .work import Heartbeat, Work

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Event",
    "Heartbeat",
    "IdempotencyRecord",
    "RelayCursor",
    "SignInLink",
    "Switch",
    "Work",
]
