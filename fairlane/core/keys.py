"""The life of an API key: issued, rotated, revoked; each step leaves an audit entry."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from fairlane.core import audit
from fairlane.core.credentials import KEY_PREFIX, digest
from fairlane.core.errors import FieldError, invalid
from fairlane.core.models.access import ApiKey
from fairlane.core.principals import SCOPES

# Enough to tell keys apart, far too little to guess the rest.
_SHOWN = 12


def issue(
    *,
    name: str,
    scopes: Collection[str],
    wallets: Collection[str],
    by: str,
    expires_at: datetime | None = None,
    throttle_exempt: bool = False,
) -> tuple[ApiKey, str]:
    """A new key and its plain text, which exists nowhere else and cannot be had again.

    Raises:
        Problem: 400, a scope that does not exist.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise invalid(
            FieldError("scopes", "unknown_scope", f"There is no scope {', '.join(unknown)}.")
        )
    plain = KEY_PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        key = ApiKey.objects.create(
            name=name,
            prefix=plain[:_SHOWN],
            digest=digest(plain),
            scopes=sorted(set(scopes)),
            wallets=sorted(set(wallets)),
            expires_at=expires_at,
            throttle_exempt=throttle_exempt,
        )
        audit.record(actor=by, action="key.issue", object=f"key:{key.pk}", after=_public(key))
    return key, plain


def rotate(*, key_id: int, overlap: timedelta, by: str) -> tuple[ApiKey, str]:
    """A successor with the same rights; the old key works until the overlap is over.

    Raises:
        Problem: 400, the key has a successor already, is revoked or has expired.
    """
    with transaction.atomic():
        old = ApiKey.objects.select_for_update().get(pk=key_id)
        now = timezone.now()
        ended = old.revoked_at or (old.expires_at and old.expires_at <= now)
        if ended or old.successor_id:
            raise invalid(title="This key has ended or has a successor")
        lifetime = old.expires_at - old.created_at if old.expires_at else None
        new, plain = issue(
            name=old.name,
            scopes=old.scopes,
            wallets=old.wallets,
            by=by,
            expires_at=now + lifetime if lifetime else None,
            throttle_exempt=old.throttle_exempt,
        )
        before = _public(old)
        old.successor = new
        old.expires_at = min(now + overlap, old.expires_at or now + overlap)
        old.save(update_fields=["successor", "expires_at"])
        audit.record(
            actor=by,
            action="key.rotate",
            object=f"key:{old.pk}",
            before=before,
            after={**_public(old), "successor": new.pk},
        )
    return new, plain


def revoke(*, key_id: int, by: str, reason: str = "") -> None:
    """End a key; every process has followed after `auth.KEY_TTL_S`. Twice is once."""
    with transaction.atomic():
        key = ApiKey.objects.select_for_update().get(pk=key_id)
        if key.revoked_at is not None:
            return
        before = _public(key)
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        audit.record(
            actor=by,
            action="key.revoke",
            object=f"key:{key.pk}",
            before=before,
            after=_public(key),
            reason=reason,
        )


def _public(key: ApiKey) -> dict[str, object]:
    return {
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "wallets": key.wallets,
        "throttle_exempt": key.throttle_exempt,
        "expires_at": key.expires_at and key.expires_at.isoformat(),
        "revoked_at": key.revoked_at and key.revoked_at.isoformat(),
    }
