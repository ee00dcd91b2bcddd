"""The API's answers, described for its schema."""

from typing import Any

from rest_framework import serializers

from fairlane.core.rest.schema import HistoryEntrySerializer

Fields = serializers.Serializer[Any]


class LinksSerializer(Fields):
    self = serializers.CharField()
    websocket = serializers.CharField()


class AcceptedOrderSerializer(Fields):
    """An order at the moment it was accepted."""

    orderId = serializers.UUIDField()
    status = serializers.CharField()
    type = serializers.CharField()
    userWallet = serializers.CharField()
    inputToken = serializers.CharField()
    outputToken = serializers.CharField()
    inputAmount = serializers.CharField()
    slippageBps = serializers.IntegerField()
    queued = serializers.BooleanField()
    createdAt = serializers.DateTimeField()
    links = LinksSerializer()


class BulkResultSerializer(Fields):
    """One order of a bulk request: the order, or the problem with it."""

    index = serializers.IntegerField()
    status = serializers.IntegerField()
    order = AcceptedOrderSerializer(required=False)
    problem = serializers.JSONField(required=False)


class BulkAnswerSerializer(Fields):
    accepted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = BulkResultSerializer(many=True)


class FailureSerializer(Fields):
    kind = serializers.CharField()
    reason = serializers.CharField()


class OrderSerializer(AcceptedOrderSerializer):
    """An order as lists show it. Amounts are decimal text."""

    seq = serializers.IntegerField()
    venue = serializers.CharField(allow_null=True)
    quotedAmount = serializers.CharField(allow_null=True)
    minOutputAmount = serializers.CharField(allow_null=True)
    spentAmount = serializers.CharField(allow_null=True)
    outputAmount = serializers.CharField(allow_null=True)
    executedPrice = serializers.CharField(allow_null=True)
    networkFeeLamports = serializers.CharField(allow_null=True)
    txHash = serializers.CharField(allow_null=True)
    failure = FailureSerializer(allow_null=True)
    retryOf = serializers.UUIDField(allow_null=True)
    updatedAt = serializers.DateTimeField()


class QuoteSerializer(Fields):
    """A venue's answer; amounts are tokens of the output."""

    venue = serializers.CharField()
    outputAmount = serializers.CharField(allow_null=True)
    netOutputAmount = serializers.CharField(allow_null=True)
    feeAmount = serializers.CharField(allow_null=True)
    feeBps = serializers.IntegerField(allow_null=True)
    priceImpactBps = serializers.IntegerField(allow_null=True)
    refusal = serializers.CharField(allow_null=True)


class OrderQuoteSerializer(QuoteSerializer):
    round = serializers.IntegerField()
    chosen = serializers.BooleanField()
    createdAt = serializers.DateTimeField()


class AttemptSerializer(Fields):
    number = serializers.IntegerField()
    state = serializers.CharField()
    venue = serializers.CharField()
    txHash = serializers.CharField(allow_null=True)
    lastValidBlockHeight = serializers.IntegerField()
    slot = serializers.IntegerField(allow_null=True)
    sentAt = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    createdAt = serializers.DateTimeField()


class OrderDetailSerializer(OrderSerializer):
    """An order with its quotes, attempts and history."""

    quotes = OrderQuoteSerializer(many=True)
    attempts = AttemptSerializer(many=True)
    history = HistoryEntrySerializer(many=True)


class QuoteComparisonSerializer(Fields):
    """The venues' quotes for a swap, and the one an order would take now."""

    inputToken = serializers.CharField()
    outputToken = serializers.CharField()
    inputAmount = serializers.CharField()
    slippageBps = serializers.IntegerField()
    quotes = QuoteSerializer(many=True)
    best = serializers.CharField(allow_null=True)
    minOutputAmount = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)


class TokenSerializer(Fields):
    symbol = serializers.CharField()
    mint = serializers.CharField()
    decimals = serializers.IntegerField()
    token2022 = serializers.BooleanField()
