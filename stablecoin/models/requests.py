"""Requests, the frames they came in, and the approvals that are signed for them."""

from collections.abc import Collection
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from fairlane.core.models.fields import Amount
from stablecoin.models.chains import of_chain
from stablecoin.models.fields import Address, Hash
from stablecoin.states import APPROVAL, ENDED, IN_VAIN, REQUEST


class Kind(models.TextChoices):
    MINT = "mint"
    REDEEM = "redeem"


class Source(models.TextChoices):
    KURO = "kuro"
    CHAIN = "chain"
    API = "api"


def _status_is_one_of(statuses: Collection[str]) -> models.GeneratedField:
    return models.GeneratedField(
        expression=models.Q(status__in=sorted(statuses)),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
    )


class Request(models.Model):
    """One mint or redeem, from the moment it is heard of.

    The table is hot: what an index covers changes once in a request's life at most, so that its
    other steps rewrite no index. What is still to be done for a request is a row of ``core.Work``.

    Attributes:
        request_id: its name outside: the compliance service's for a mint, the contract's for a
            redeem.
        wallet: the account that gets the tokens, or had them locked.
        reference: the bank's or the compliance service's word for the money behind it.
        tries: attempts in vain at what it waits for now.
        admitted_on: the UTC day whose caps it counts against.
        rule: the policy that rejected it, or asks for people.
        transaction_hash: the transaction that did it, or is to do it.
        lock_hash: the transaction that locked a redeem's tokens.
        ended, in_vain: what the status says: whether anything is still to come of it, and whether
            it ended without anything done.
    """

    EVENT_KIND = "stablecoin"

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    chain = of_chain()
    request_id = models.CharField(max_length=128)
    wallet = Address()
    amount = Amount()
    reference = models.CharField(max_length=128, default="")
    source = models.CharField(max_length=8, choices=Source.choices)
    created_by = models.CharField(max_length=64)
    status = models.CharField(max_length=20, default="RECEIVED")
    seq = models.PositiveIntegerField(default=1)
    tries = models.PositiveSmallIntegerField(default=0)
    admitted_on = models.DateField(null=True)
    rule = models.CharField(max_length=32, default="")
    failure_kind = models.CharField(max_length=32, default="")
    failure_reason = models.TextField(default="")
    transaction_hash = Hash(default="")
    block_number = models.BigIntegerField(null=True)
    lock_hash = Hash(default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    ended = _status_is_one_of(ENDED)
    in_vain = _status_is_one_of(IN_VAIN)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["wallet", "-created_at", "-id"], name="request_by_wallet"),
            models.Index(fields=["-created_at", "-id"], name="request_by_time"),
            models.Index(fields=["request_id"], name="request_by_name"),
            # Few of many: so that nobody who looks for them reads all that went well.
            models.Index(
                fields=["-created_at", "-id"],
                name="request_not_ended",
                condition=models.Q(ended=False),
            ),
            models.Index(
                fields=["-created_at", "-id"],
                name="request_in_vain",
                condition=models.Q(in_vain=True),
            ),
        ]
        constraints: ClassVar = [
            REQUEST.check_constraint("request_status_known"),
            models.UniqueConstraint(
                fields=["request_id"], condition=models.Q(kind="mint"), name="mint_once"
            ),
            models.UniqueConstraint(
                fields=["chain", "request_id"],
                condition=models.Q(kind="redeem"),
                name="redeem_once_per_chain",
            ),
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="request_positive"),
            models.CheckConstraint(
                condition=~models.Q(status="REJECTED") | models.Q(rule__gt=""),
                name="request_rejected_has_rule",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="COMPLETED") | models.Q(transaction_hash__gt=""),
                name="request_completed_has_transaction",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.request_id}"


class KuroEvent(models.Model):
    """A frame of the compliance service, kept as it came; the same bytes are kept once.

    Attributes:
        outcome: accepted, duplicate, conflict (the same request with other content), rejected.
        reason: why it was not accepted.
    """

    digest = models.BinaryField(max_length=32, unique=True)
    frame = models.TextField()
    outcome = models.CharField(max_length=12)
    reason = models.CharField(max_length=200, default="")
    request_id = models.CharField(max_length=128, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(
                fields=["-id"],
                name="kuro_event_trouble",
                condition=models.Q(outcome__in=["conflict", "rejected"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.request_id}"


class Approval(models.Model):
    """The EIP-712 message that lets a relayer carry out a request, and its signature.

    Attributes:
        number: 1 for the first approval of the request; a new one only once the last is void.
        nonce: the contract's nonce for the account.
        deadline: unix seconds after which the contract refuses it.
        digest: what the key service signs, stored before it is asked.
    """

    request = models.ForeignKey(
        Request, models.CASCADE, related_name="approvals", db_constraint=False, db_index=False
    )
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, default="REQUESTED")
    nonce = Amount()
    deadline = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)
    signature = models.BinaryField(max_length=65, null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            APPROVAL.check_constraint("approval_state_known", "state"),
            models.UniqueConstraint(fields=["request", "number"], name="approval_number_unique"),
            models.UniqueConstraint(
                fields=["request"],
                condition=~models.Q(state="VOID"),
                name="approval_one_live_per_request",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="SIGNED") | models.Q(signature__isnull=False),
                name="approval_signed_has_signature",
            ),
        ]

    def __str__(self) -> str:
        return f"approval {self.number} of {self.request_id}"
