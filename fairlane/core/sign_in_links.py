"""One-time links that sign a person in."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from fairlane.core.credentials import digest
from fairlane.core.models.access import SignInLink

# Time to see the banner, open a browser and come back from a coffee.
LIFE = timedelta(minutes=30)


def create(user: User) -> str:
    """The path of a new link; whoever opens it first is signed in as this user."""
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(digest=digest(token), user=user, expires_at=timezone.now() + LIFE)
    return f"/sign-in/{token}"


def is_good(token: str) -> bool:
    """Whether the link would still sign somebody in. Changes nothing."""
    return SignInLink.objects.filter(
        digest=digest(token), used_at=None, expires_at__gt=timezone.now(), user__is_active=True
    ).exists()


def consume(token: str) -> User | None:
    """The user of a good link, which is used up; of two at once, one gets the user."""
    now = timezone.now()
    links = SignInLink.objects.filter(digest=digest(token))
    if not links.filter(used_at=None, expires_at__gt=now, user__is_active=True).update(used_at=now):
        return None
    return links.select_related("user").get().user


def purge() -> int:
    """Delete the links that have expired; returns how many."""
    return SignInLink.objects.filter(expires_at__lt=timezone.now()).delete()[0]
