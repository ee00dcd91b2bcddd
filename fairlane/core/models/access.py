"""Who may do what, and what was done: keys, sign-in links, switches, the audit trail."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now

from fairlane.core.append_only import AppendOnly


class ApiKey(models.Model):
    """A caller's key. Only its SHA-256 is kept: a key is 256 random bits, so no salt is needed."""

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, help_text="The key's first characters, to tell keys.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=40), help_text="Such as orders:read.")
    wallets = ArrayField(
        models.CharField(max_length=64),
        default=list,
        blank=True,
        help_text="Addresses this key may act for; * stands for all.",
    )
    throttle_exempt = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    successor = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="predecessor",
        help_text="The key that takes over; this one works until expires_at.",
    )

    class Meta:
        verbose_name = "API key"
        ordering: ClassVar = ["name", "-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class SignInLink(models.Model):
    """A link that signs one person in, once. Only the SHA-256 of its token is kept."""

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"sign-in link of {self.user}"


class IdempotencyRecord(models.Model):
    """The answer given to a caller's Idempotency-Key, to be given again to a repeat."""

    pk = models.CompositePrimaryKey("principal", "key")
    principal = models.CharField(max_length=64)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        # Rows arrive in time order, so a BRIN finds the old ones and costs inserts next to nothing.
        indexes: ClassVar = [BrinIndex(fields=["created_at"], name="idempotency_created_at")]

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"


class Switch(models.Model):
    """Something an operator can pause. A switch that has no row is on."""

    name = models.CharField(max_length=64, primary_key=True)
    on = models.BooleanField(default=True)
    reason = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "switches"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return f"{self.name}: {'on' if self.on else 'off'}"


class AuditEntry(models.Model):
    """One thing a person or a program did to the service. Never changed, never deleted."""

    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=64, help_text="Such as order.cancel.")
    object = models.CharField(max_length=200, help_text="Such as order:1f0c….")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["object", "-id"], name="audit_object")]
        constraints: ClassVar = [AppendOnly(name="audit_append_only")]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.object}"
