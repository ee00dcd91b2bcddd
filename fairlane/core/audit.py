"""The audit trail: who did what to what, and why."""

from __future__ import annotations

from typing import Any

from fairlane.core.models.access import AuditEntry


def record(
    *,
    actor: str,
    action: str,
    object: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Add an entry; call it in the transaction of the deed, so that neither is without the other.

    `actor` is `Principal.actor`, or `command:NAME` for a program; `object` reads `order:…`.
    """
    return AuditEntry.objects.create(
        actor=actor, action=action, object=object, before=before, after=after, reason=reason
    )
