"""The ledger of the vault, and what it was compared with."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from batches.models.markets import Market
from fairlane.core.models.fields import Amount


class Account(models.TextChoices):
    """Of each market and mint. Their balances add up to nothing at all times."""

    VAULT = "vault"
    ESCROW = "escrow"
    PAYABLE = "payable"
    FEES = "fees"
    POOL = "pool"


class VaultEntry(models.Model):
    """One side of a posting: what the vault holds is positive, what it owes is negative.

    Attributes:
        reference: the transaction, batch or order that it is about, and what happened to it.
    """

    reference = models.CharField(max_length=64)
    market = models.ForeignKey(Market, models.PROTECT, related_name="+", db_index=False)
    mint = models.CharField(max_length=44)
    account = models.CharField(max_length=8, choices=Account.choices)
    amount = Amount()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "vault entries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reference", "market", "mint", "account"], name="vault_entry_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.amount}"


class VaultBalance(models.Model):
    """The sum of an account's entries, kept in the transactions that add them."""

    market = models.ForeignKey(Market, models.PROTECT, related_name="+", db_index=False)
    mint = models.CharField(max_length=44)
    account = models.CharField(max_length=8, choices=Account.choices)
    amount = Amount(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["market", "mint", "account"], name="vault_balance_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.amount}"


class VaultCheck(models.Model):
    """Both sides of one mint's vault when they were last compared.

    Attributes:
        difference: atoms that the vault is known to hold beyond the ledger, whatever is on its way;
            negative where it lacks them. What strangers have sent there is nobody's.
        differs_since: when the vault was first found to lack something; null while it does not.
    """

    mint = models.CharField(max_length=44, primary_key=True)
    on_chain = Amount()
    in_ledger = Amount()
    difference = Amount(default=0)
    slot = models.BigIntegerField()
    differs_since = models.DateTimeField(null=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.mint} in slot {self.slot}"
