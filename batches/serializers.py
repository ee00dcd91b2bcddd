"""The API's answers, described for its schema. Amounts and prices are decimal text."""

from typing import Any

from rest_framework import serializers

from fairlane.core.rest.schema import HistoryEntrySerializer

Fields = serializers.Serializer[Any]


class MarketTokenSerializer(Fields):
    symbol = serializers.CharField()
    mint = serializers.CharField()
    decimals = serializers.IntegerField()


class ReferenceSerializer(Fields):
    tick = serializers.IntegerField()
    price = serializers.CharField()


class PoolSerializer(Fields):
    """What a market's pool holds, in tokens as text, and keeps of what goes into it."""

    feeBps = serializers.IntegerField()
    base = serializers.CharField()
    quote = serializers.CharField()


class PoolLegSerializer(Fields):
    """What a pool sold to the orders of a batch; below zero what it bought."""

    lots = serializers.IntegerField()
    base = serializers.CharField()
    quote = serializers.CharField()


class MarketSerializer(Fields):
    """A market; `lot`, `tick` and `minimumNotional` are atoms as text."""

    market = serializers.CharField()
    address = serializers.CharField()
    base = MarketTokenSerializer()
    quote = MarketTokenSerializer()
    lot = serializers.CharField()
    tick = serializers.CharField()
    feeBps = serializers.IntegerField()
    cadenceMs = serializers.IntegerField()
    collarBps = serializers.IntegerField()
    minimumNotional = serializers.CharField()
    ownerCap = serializers.CharField(allow_null=True)
    maxOpenOrders = serializers.IntegerField()
    lockMs = serializers.IntegerField()
    cutoffLeadMs = serializers.IntegerField()
    lookAhead = serializers.IntegerField()
    active = serializers.BooleanField()
    paused = serializers.BooleanField()
    reference = ReferenceSerializer()
    bandFirstTick = serializers.IntegerField()
    bandTicks = serializers.IntegerField()
    coordinator = serializers.CharField()
    receiptKey = serializers.CharField()
    pool = PoolSerializer(allow_null=True)


class MarketsSerializer(Fields):
    markets = MarketSerializer(many=True)


class BatchReservationSerializer(Fields):
    id = serializers.UUIDField()
    state = serializers.CharField()
    slot = serializers.IntegerField()
    charged = serializers.CharField()


class BatchSerializer(Fields):
    """A batch; `volume`, `turnover` and `fees` are tokens as text."""

    id = serializers.UUIDField()
    market = serializers.CharField()
    batchNo = serializers.IntegerField()
    slot = serializers.IntegerField(allow_null=True)
    cutoffSlot = serializers.IntegerField(allow_null=True)
    eta = serializers.DateTimeField()
    status = serializers.CharField()
    lane = serializers.ChoiceField(["AOT", "JIT", "NORMAL"])
    reserved = serializers.BooleanField()
    reservation = BatchReservationSerializer(allow_null=True)
    merkleRoot = serializers.CharField(allow_null=True)
    tickRoot = serializers.CharField(allow_null=True)
    anchorSignature = serializers.CharField(allow_null=True)
    anchorSlot = serializers.IntegerField(allow_null=True)
    clearingPrice = serializers.CharField(allow_null=True)
    clearingTick = serializers.IntegerField(allow_null=True)
    volume = serializers.CharField()
    volumeLots = serializers.IntegerField()
    turnover = serializers.CharField()
    fees = serializers.CharField()
    pool = PoolLegSerializer(allow_null=True)
    orders = serializers.IntegerField()
    fills = serializers.IntegerField()
    reason = serializers.CharField()
    settlementSignatures = serializers.ListField(child=serializers.CharField())
    settlementCount = serializers.IntegerField()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()


class BatchPageSerializer(Fields):
    batches = BatchSerializer(many=True)
    limit = serializers.IntegerField()
    hasMore = serializers.BooleanField()


class CurveSerializer(Fields):
    """Cumulative lots by price: where they change."""

    firstTick = serializers.IntegerField()
    ticks = serializers.IntegerField()
    demand = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))
    supply = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))


class BatchDetailSerializer(BatchSerializer):
    curve = CurveSerializer(allow_null=True)


class PricePointSerializer(Fields):
    batchNo = serializers.IntegerField()
    at = serializers.DateTimeField()
    tick = serializers.IntegerField()
    price = serializers.CharField()
    volumeLots = serializers.IntegerField()


class PricesSerializer(Fields):
    prices = PricePointSerializer(many=True)


class ReceiptSerializer(Fields):
    """The coordinator's signed promise, `fairlane.recpt.1`."""

    record = serializers.CharField()
    signature = serializers.CharField()
    seq = serializers.IntegerField()


class BatchOrderSerializer(Fields):
    """An order in batches; its hash is its name."""

    id = serializers.UUIDField()
    hash = serializers.CharField()
    market = serializers.CharField()
    wallet = serializers.CharField()
    side = serializers.ChoiceField(["buy", "sell"])
    type = serializers.ChoiceField(["limit", "market"])
    timeInForce = serializers.ChoiceField(["roll", "oneBatch"])
    limitTick = serializers.IntegerField()
    limitPrice = serializers.CharField()
    quantityLots = serializers.IntegerField()
    quantity = serializers.CharField()
    remainingLots = serializers.IntegerField()
    filledLots = serializers.IntegerField()
    age = serializers.IntegerField()
    status = serializers.CharField()
    reason = serializers.CharField()
    batchNo = serializers.IntegerField()
    inBatch = serializers.BooleanField()
    cancelling = serializers.BooleanField()
    nonce = serializers.CharField()
    maxFeeBps = serializers.IntegerField()
    fromSlot = serializers.IntegerField()
    expirySlot = serializers.IntegerField()
    escrow = serializers.CharField()
    escrowLeft = serializers.CharField()
    receipt = ReceiptSerializer()
    record = serializers.CharField()
    signature = serializers.CharField()
    seq = serializers.IntegerField()
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()


class BatchOrderPageSerializer(Fields):
    orders = BatchOrderSerializer(many=True)
    limit = serializers.IntegerField()
    hasMore = serializers.BooleanField()


class FillSerializer(Fields):
    batchNo = serializers.IntegerField()
    lots = serializers.IntegerField()
    quantity = serializers.CharField()
    price = serializers.CharField()
    quote = serializers.CharField()
    fee = serializers.CharField()


class TransferSerializer(Fields):
    direction = serializers.ChoiceField(["PULL", "PAY"])
    mint = serializers.CharField()
    amount = serializers.CharField()
    status = serializers.CharField()
    signature = serializers.CharField(allow_null=True)
    reason = serializers.CharField()


class PayoutSerializer(Fields):
    batchNo = serializers.IntegerField()
    mint = serializers.CharField()
    amount = serializers.CharField()
    status = serializers.CharField()
    signature = serializers.CharField(allow_null=True)


class BatchOrderDetailSerializer(BatchOrderSerializer):
    fills = FillSerializer(many=True)
    transfers = TransferSerializer(many=True)
    payouts = PayoutSerializer(many=True)
    history = HistoryEntrySerializer(many=True)


class StepSerializer(Fields):
    step = serializers.IntegerField()
    title = serializers.CharField()
    holds = serializers.BooleanField(allow_null=True)


class VerdictSerializer(Fields):
    status = serializers.ChoiceField(["VERIFIED", "VIOLATION", "UNCERTAIN"])
    step = serializers.IntegerField(allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())
    note = serializers.CharField()
    steps = StepSerializer(many=True)
