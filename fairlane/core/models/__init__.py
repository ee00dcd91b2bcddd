"""Rows of the kernel."""

from .access import ApiKey, AuditEntry, IdempotencyRecord, SignInLink, Switch
from .events import Event, RelayCursor
from .work import Heartbeat, Lease, StageTally, Work

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Event",
    "Heartbeat",
    "IdempotencyRecord",
    "Lease",
    "RelayCursor",
    "SignInLink",
    "StageTally",
    "Switch",
    "Work",
]
