"""Markets, the ticks that they share, and the batches of each."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now

from batches.states import BATCH, OPEN_BATCH, TICK
from fairlane.core.models.fields import Amount


class Market(models.Model):
    """Two tokens that are traded in batches.

    Attributes:
        address: what orders name it by, signed: 32 bytes in base58.
        lot: base atoms of the smallest quantity.
        tick: quote atoms per lot of the smallest step of price.
        fee_bps: what each side pays, in quote.
        cadence_ms: milliseconds from batch to batch.
        collar_bps: how far from the reference a market order may trade.
        minimum_notional: the least quote atoms that an order is worth, see ``batches.terms.stake``.
        owner_cap: the most quote atoms that an owner's open orders are worth; null for no limit.
        max_open_orders: how many orders an owner may have open.
        look_ahead, cutoff_lead_ms: null for the settings' own. Markets of one cadence share their
            ticks, and so the longest of their leads.
        lock_ms: so long before a cutoff an order in the book can only be improved.
        uses_pool: whether the market's pool may take what a batch leaves; its reserves lie in the
            vault, see ``batches.reserves``.
        pool_fee_bps: what the pool keeps of what goes into it.
        coordinator: the wallet whose token accounts are the vault, and that anchors.
        receipt_key: the public key that signs its receipts.
        active: whether batches are planned.
        planned_until: the number of the last planned batch.
        receipt_seq, receipt_hash: of the last receipt given.
        reference: where the next band stands, in ticks; see ``batches.band``.
    """

    name = models.CharField(max_length=33, unique=True)
    address = models.CharField(max_length=44, unique=True)
    base_symbol = models.CharField(max_length=16)
    base_mint = models.CharField(max_length=44)
    base_decimals = models.PositiveSmallIntegerField()
    base_token2022 = models.BooleanField(default=False)
    quote_symbol = models.CharField(max_length=16)
    quote_mint = models.CharField(max_length=44)
    quote_decimals = models.PositiveSmallIntegerField()
    quote_token2022 = models.BooleanField(default=False)
    lot = models.BigIntegerField()
    tick = models.BigIntegerField()
    fee_bps = models.PositiveSmallIntegerField()
    cadence_ms = models.PositiveIntegerField(default=1_000)
    collar_bps = models.PositiveSmallIntegerField(default=500)
    minimum_notional = Amount(default=0)
    owner_cap = Amount(null=True, blank=True)
    max_open_orders = models.PositiveIntegerField(default=100)
    look_ahead = models.PositiveSmallIntegerField(null=True, blank=True)
    cutoff_lead_ms = models.PositiveIntegerField(null=True, blank=True)
    lock_ms = models.PositiveIntegerField(default=0)
    uses_pool = models.BooleanField(default=False)
    pool_fee_bps = models.PositiveSmallIntegerField(default=0)
    coordinator = models.CharField(max_length=44)
    receipt_key = models.CharField(max_length=44)
    active = models.BooleanField(default=True)
    planned_until = models.BigIntegerField(default=0)
    receipt_seq = models.PositiveBigIntegerField(default=0)
    receipt_hash = models.BinaryField(default=bytes(32))
    reference = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(lot__gt=0, tick__gt=0, reference__gt=0, cadence_ms__gt=0),
                name="market_units_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(fee_bps__lte=10_000, collar_bps__lte=10_000),
                name="market_rates_below_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(pool_fee_bps__lt=10_000), name="market_pool_fee_below_whole"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def switch(self) -> str:
        """The switch that keeps new orders from this market, and its orders from batches."""
        return f"batches.market.{self.name}"


class Cadence(models.Model):
    """The chain of anchors of one cadence: a single row whose lock puts closings in order.

    Attributes:
        root, tick: of the tick that was closed last.
    """

    cadence_ms = models.PositiveIntegerField(primary_key=True)
    root = models.BinaryField(default=bytes(32))
    tick = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"every {self.cadence_ms} ms"


class Lane(models.TextChoices):
    """How a tick's settlement gets into its block."""

    AOT = "AOT", "reserved ahead of time"
    JIT = "JIT", "reserved just in time"
    NORMAL = "NORMAL", "sent with a priority fee"


class Tick(models.Model):
    """The batches of one cadence that execute together: one reservation, one anchor.

    Attributes:
        target_slot: where it executes; an estimate until a slot is reserved or it is closed.
        cutoff_slot: the last slot whose orders are in; null until it is closed.
        root, previous: of its tree, and of the tick closed before.
        batches: how many headers the tree holds.
        anchor_signature, anchor_transaction: of the memo that puts the root on chain.
        anchor_first_slot: where the chain stood when it was signed.
        anchor_slot: where it landed.
    """

    EVENT_KIND = "tick"

    id = models.UUIDField(primary_key=True, editable=False)
    cadence_ms = models.PositiveIntegerField()
    number = models.BigIntegerField()
    status = models.CharField(max_length=12, default="PLANNED")
    seq = models.PositiveIntegerField(default=1)
    wallet = models.CharField(max_length=44, default="", editable=False)
    target_slot = models.BigIntegerField(null=True)
    cutoff_slot = models.BigIntegerField(null=True)
    lane = models.CharField(max_length=8, choices=Lane.choices, default=Lane.NORMAL)
    root = models.BinaryField(null=True)
    previous = models.BinaryField(null=True)
    batches = models.PositiveIntegerField(default=0)
    anchor_signature = models.CharField(max_length=88, null=True, unique=True)
    anchor_transaction = models.BinaryField(null=True)
    anchor_first_slot = models.BigIntegerField(null=True)
    anchor_slot = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["-number"]
        indexes: ClassVar = [
            # Few are ahead, among however many have been.
            models.Index(
                fields=["number"], name="tick_planned", condition=models.Q(status="PLANNED")
            ),
            # Those that are deleted when they are old.
            models.Index(
                fields=["created_at"], name="tick_empty", condition=models.Q(status="EMPTY")
            ),
        ]
        constraints: ClassVar = [
            TICK.check_constraint("tick_status_known"),
            models.UniqueConstraint(fields=["cadence_ms", "number"], name="tick_once"),
            models.CheckConstraint(
                condition=models.Q(cutoff_slot__isnull=True)
                | models.Q(cutoff_slot__lt=models.F("target_slot")),
                name="tick_cutoff_before_target",
            ),
        ]

    def __str__(self) -> str:
        return f"tick {self.number} of every {self.cadence_ms} ms"

    @property
    def executes_at_ms(self) -> int:
        """The Unix millisecond at which it should execute."""
        return (self.number + 1) * self.cadence_ms


class Batch(models.Model):
    """One market's part of a tick.

    Attributes:
        wallet: the market's address: feeds of a market follow it.
        orders: how many are in.
        header, leaves: the canonical bytes that the tick's root commits to.
        index: the place of the header in the tick's tree.
        price: in ticks; 0 where nothing traded.
        volume: in lots; ``turnover`` in quote atoms before fees.
        fills: how many orders got something.
        pool_used: whether a pool takes part: whether the header names one and, from clearing on,
            whether its reserves were there.
        pool_lots: that the pool sold, below zero what it bought; ``pool_quote`` the atoms for them.
        result_root: of the tree over the fills.
        settlements: once it is settled, some signatures of the transactions that paid;
            ``settlement_count`` is how many there were.
        reason: why it did not execute.
    """

    EVENT_KIND = "batch"

    id = models.UUIDField(primary_key=True, editable=False)
    # Planning makes both ends in one statement; a check of each would be most of its cost.
    market = models.ForeignKey(
        Market, models.PROTECT, related_name="batches", db_index=False, db_constraint=False
    )
    tick = models.ForeignKey(Tick, models.PROTECT, related_name="its_batches", db_constraint=False)
    number = models.BigIntegerField()
    status = models.CharField(max_length=12, default="PLANNED")
    seq = models.PositiveIntegerField(default=1)
    wallet = models.CharField(max_length=44)
    orders = models.PositiveIntegerField(default=0)
    header = models.BinaryField(null=True)
    leaves = models.BinaryField(null=True)
    index = models.PositiveIntegerField(null=True)
    price = models.BigIntegerField(default=0)
    volume = models.BigIntegerField(default=0)
    turnover = models.BigIntegerField(default=0)
    fees = models.BigIntegerField(default=0)
    fills = models.PositiveIntegerField(default=0)
    pool_used = models.BooleanField(default=False)
    pool_lots = models.BigIntegerField(default=0)
    pool_quote = models.BigIntegerField(default=0)
    result_root = models.BinaryField(null=True)
    settlements = models.JSONField(default=list, db_default=[])
    settlement_count = models.PositiveIntegerField(default=0, db_default=0)
    reason = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "batches"
        ordering: ClassVar = ["-created_at", "-number", "market_id"]
        indexes: ClassVar = [
            # Numbers count a cadence's own milliseconds: across markets only time tells the order.
            models.Index(fields=["-created_at", "-number", "market"], name="batch_newest"),
            # Lists by any status, however rare. The planned are many, come and go, and are found
            # among the newest and the open.
            models.Index(
                fields=["status", "-created_at", "-number", "market"],
                name="batch_by_status",
                condition=~models.Q(status="PLANNED"),
            ),
            models.Index(
                fields=["market", "status", "-number"],
                name="batch_of_market_by_status",
                condition=~models.Q(status="PLANNED"),
            ),
            # Few are open, among however many there have been.
            models.Index(
                fields=["market", "number"],
                name="batch_open",
                condition=models.Q(status__in=OPEN_BATCH),
            ),
            # Most come to no trade.
            models.Index(
                fields=["market", "-number"],
                name="batch_traded",
                condition=models.Q(price__gt=0),
            ),
        ]
        constraints: ClassVar = [
            BATCH.check_constraint("batch_status_known"),
            models.UniqueConstraint(fields=["market", "number"], name="batch_once"),
        ]

    def __str__(self) -> str:
        return f"batch {self.number}"


class SlotReading(models.Model):
    """Where the clock of slots stood when a process last looked: a single row.

    Attributes:
        slot, at_ms: the slot that was running at this Unix millisecond.
        slot_ms: milliseconds per slot.
        degraded: whether nothing new should be reserved.
        errors: by slots ahead the p50, p95 and p99 of how wrong predictions were, in milliseconds.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    slot = models.BigIntegerField()
    at_ms = models.FloatField()
    slot_ms = models.FloatField()
    degraded = models.BooleanField()
    errors: Any = models.JSONField(default=dict)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="slot_reading_single_row"),
        ]

    def __str__(self) -> str:
        return f"slot {self.slot}"
