"""Chains, what is known of them, and what people allow on them."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now

from fairlane.core.models.fields import Amount
from stablecoin import reading
from stablecoin.models.fields import Address, Hash


class Chain(models.Model):
    """An EVM chain with the stablecoin's contract, and the limits that people set for it.

    Attributes:
        profile: which of the contract designs is deployed there: A, B or C.
        deployed_block: the listener starts there.
        per_request_cap, per_address_daily_cap, daily_cap: base units; null is no limit.
        four_eyes_above: requests of more than this need two people; null is never.
        allow_listed_only: whether only accounts on the allow list are served.
    """

    chain_id = models.PositiveIntegerField(primary_key=True)
    name = models.CharField(max_length=64)
    profile = models.CharField(max_length=1, default="A")
    contract = Address(default="", blank=True)
    kyc_registry = Address(default="", blank=True)
    deployed_block = models.BigIntegerField(default=0)
    per_request_cap = Amount(null=True, blank=True)
    per_address_daily_cap = Amount(null=True, blank=True)
    daily_cap = Amount(null=True, blank=True)
    four_eyes_above = Amount(null=True, blank=True)
    allow_listed_only = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["chain_id"]

    def __str__(self) -> str:
        return self.name or str(self.chain_id)

    def clean(self) -> None:
        """Refuse limits below nothing."""
        limits = ("per_request_cap", "per_address_daily_cap", "daily_cap", "four_eyes_above")
        below = [name for name in limits if (getattr(self, name) or 0) < 0]
        if below:
            raise ValidationError(dict.fromkeys(below, "a limit is not below zero"))


def of_chain(**options: Any) -> "models.ForeignKey[Any, Any]":
    """A column that names a chain. Chains are never deleted, and hot tables do without a check."""
    return models.ForeignKey(
        Chain, models.PROTECT, related_name="+", db_constraint=False, db_index=False, **options
    )


class ChainState(models.Model):
    """What the listener last saw of a chain.

    Attributes:
        providers: per RPC provider: name, height, whether it is healthy and in use.
        error: why the listener cannot follow; empty while it can.
    """

    chain = models.OneToOneField(Chain, models.CASCADE, primary_key=True, related_name="state")
    head = models.BigIntegerField(default=0)
    head_at = models.DateTimeField(null=True)
    final = models.BigIntegerField(default=0)
    listened = models.BigIntegerField(default=0)
    base_fee = Amount(default=0)
    providers = models.JSONField(default=list)
    error = models.TextField(default="")
    updated_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.chain_id} at {self.head}"


class AddressRule(models.Model):
    """An account that people have allowed or denied, on every chain."""

    class Effect(models.TextChoices):
        ALLOW = "allow"
        DENY = "deny"

    wallet = Address(primary_key=True)
    effect = models.CharField(max_length=8, choices=Effect.choices)
    reason = models.CharField(max_length=200)

    class Meta:
        ordering: ClassVar = ["wallet"]

    def __str__(self) -> str:
        return f"{self.effect} {self.wallet}"

    def clean(self) -> None:
        """Let the account be written as requests write it."""
        try:
            self.wallet = reading.account(self.wallet)
        except reading.Unreadable as error:
            raise ValidationError({"wallet": str(error)}) from None


class Usage(models.Model):
    """How much of the caps one UTC day has used: per account, and, under no account, in all."""

    chain = of_chain()
    kind = models.CharField(max_length=8)
    day = models.DateField()
    wallet = Address(default="")
    amount = Amount(default=0)

    class Meta:
        verbose_name_plural = "usage"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["chain", "kind", "day", "wallet"], name="usage_once_per_day"
            ),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="usage_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.chain_id} {self.kind} {self.day} {self.wallet}: {self.amount}"


class Consent(models.Model):
    """What one person said of a request that needs two."""

    request = models.ForeignKey(
        "stablecoin.Request", models.CASCADE, related_name="consents", db_constraint=False
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    agreed = models.BooleanField()
    reason = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "user"], name="consent_once_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {'yes' if self.agreed else 'no'}"


class ListenerCursor(models.Model):
    """How far a chain's logs are stored, and how far they are applied.

    Both moves name where they start from, so of two listeners only one makes each.

    Attributes:
        number, hash: the last block whose logs are stored.
        applied: the last final block whose logs are in the ledger.
    """

    chain = models.OneToOneField(Chain, models.CASCADE, primary_key=True, related_name="cursor")
    number = models.BigIntegerField()
    hash = Hash(default="")
    applied = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.chain_id} at {self.number}"


class ChainBlock(models.Model):
    """A block the listener has passed that is not final: what a reorganisation is found by."""

    chain = of_chain()
    number = models.BigIntegerField()
    hash = Hash()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["chain", "number"], name="block_once_per_chain"),
        ]

    def __str__(self) -> str:
        return f"{self.chain_id} {self.number} {self.hash}"


class ChainLog(models.Model):
    """An event of the contract.

    Attributes:
        kind: minted, redeem_requested, redeem_finalized, redeem_cancelled.
        problem: why it could not be put down to a request; empty where it was.
        applied_at: when its block was final and it entered the ledger.
    """

    chain = of_chain()
    transaction_hash = Hash()
    log_index = models.PositiveIntegerField()
    block_number = models.BigIntegerField()
    block_hash = Hash()
    kind = models.CharField(max_length=20)
    request_id = models.CharField(max_length=128)
    wallet = Address()
    amount = Amount()
    problem = models.CharField(max_length=200, default="")
    applied_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["chain", "-block_number"], name="log_by_block"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["chain", "transaction_hash", "log_index"], name="log_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.request_id} in {self.block_number}"
