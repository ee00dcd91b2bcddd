"""The API's answers, described for its schema."""

from typing import Any

from rest_framework import serializers

from fairlane.core.rest.schema import HistoryEntrySerializer

Fields = serializers.Serializer[Any]


class RequestLinksSerializer(Fields):
    self = serializers.CharField()
    websocket = serializers.CharField()
    page = serializers.CharField()


class RequestSerializer(Fields):
    """A mint or redeem as lists show it. Amounts are base units as text."""

    id = serializers.UUIDField()
    requestId = serializers.CharField()
    type = serializers.ChoiceField(["mint", "redeem"])
    status = serializers.CharField()
    phase = serializers.ChoiceField(["PENDING", "PROCESSING", "COMPLETED", "FAILED"])
    seq = serializers.IntegerField()
    userAddress = serializers.CharField()
    amount = serializers.CharField()
    chainId = serializers.IntegerField()
    txHash = serializers.CharField(allow_null=True)
    lockTxHash = serializers.CharField(allow_null=True)
    blockNumber = serializers.IntegerField(allow_null=True)
    errorMessage = serializers.CharField(allow_null=True)
    rule = serializers.CharField(allow_null=True)
    fiatRef = serializers.CharField(allow_null=True)
    source = serializers.ChoiceField(["kuro", "chain", "api"])  # type: ignore[assignment]
    createdAt = serializers.DateTimeField()
    updatedAt = serializers.DateTimeField()
    links = RequestLinksSerializer()


class ApprovalSerializer(Fields):
    """An EIP-712 approval; `deadline` is unix seconds."""

    number = serializers.IntegerField()
    state = serializers.CharField()
    nonce = serializers.CharField()
    deadline = serializers.IntegerField()
    digest = serializers.CharField()
    createdAt = serializers.DateTimeField()


class TransactionAttemptSerializer(Fields):
    """One signed transaction; fees are wei."""

    number = serializers.IntegerField()
    txHash = serializers.CharField()
    maxFeePerGas = serializers.CharField()
    maxPriorityFeePerGas = serializers.CharField()
    cancels = serializers.BooleanField()
    sentAt = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField(allow_null=True)


class TransactionSerializer(Fields):
    """What a relayer has one nonce for."""

    id = serializers.IntegerField()
    relayer = serializers.CharField()
    nonce = serializers.IntegerField()
    state = serializers.CharField()
    gas = serializers.IntegerField()
    txHash = serializers.CharField(allow_null=True)
    blockNumber = serializers.IntegerField(allow_null=True)
    succeeded = serializers.BooleanField(allow_null=True)
    gasUsed = serializers.IntegerField(allow_null=True)
    gasPrice = serializers.CharField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    attempts = TransactionAttemptSerializer(many=True)
    createdAt = serializers.DateTimeField()


class ConsentSerializer(Fields):
    """What one person said."""

    by = serializers.CharField()
    agreed = serializers.BooleanField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class RequestDetailSerializer(RequestSerializer):
    """A request with its approvals, transactions, consents and history."""

    approvals = ApprovalSerializer(many=True)
    transactions = TransactionSerializer(many=True)
    consents = ConsentSerializer(many=True)
    history = HistoryEntrySerializer(many=True)


class RequestPageSerializer(Fields):
    """A page of a list; `hasMore` says whether older ones follow."""

    requests = RequestSerializer(many=True)
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()
    hasMore = serializers.BooleanField()
