"""The ledger, and what it was compared with."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from fairlane.core.models.fields import Amount
from stablecoin.models.chains import Chain, ChainLog, of_chain


class Account(models.TextChoices):
    """Of each chain. Their balances add up to nothing at all times."""

    ISSUED = "issued"
    CIRCULATING = "circulating"
    LOCKED = "locked"


class LedgerEntry(models.Model):
    """One side of a posting: debits are positive, and those of one log add up to nothing."""

    chain = of_chain()
    log = models.ForeignKey(ChainLog, models.PROTECT, related_name="entries", db_constraint=False)
    account = models.CharField(max_length=12, choices=Account.choices)
    amount = Amount()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["log", "account"], name="entry_once_per_log"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.amount}"


class LedgerBalance(models.Model):
    """The sum of an account's entries, kept in the transactions that add them."""

    chain = of_chain()
    account = models.CharField(max_length=12, choices=Account.choices)
    amount = Amount(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["chain", "account"], name="balance_once"),
        ]

    def __str__(self) -> str:
        return f"{self.chain_id} {self.account}: {self.amount}"


class Reconciliation(models.Model):
    """Both sides of a chain at one final block, when they were last compared.

    Attributes:
        locked_on_chain: null where the contract keeps no locked tokens.
        differs_since: when they were first found to differ; null while they agree.
    """

    chain = models.OneToOneField(
        Chain, models.CASCADE, primary_key=True, related_name="reconciliation"
    )
    block_number = models.BigIntegerField()
    supply_on_chain = Amount()
    supply_in_ledger = Amount()
    locked_on_chain = Amount(null=True)
    locked_in_ledger = Amount()
    differs_since = models.DateTimeField(null=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.chain_id} at {self.block_number}"


class Probe(models.Model):
    """When something outside was last found well, by a process that asks it now and then."""

    name = models.CharField(max_length=32, primary_key=True)
    well = models.BooleanField()
    error = models.CharField(max_length=200, default="")
    ms = models.FloatField(null=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.name}: {'well' if self.well else self.error}"
