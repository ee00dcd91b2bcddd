"""The overview, described for the API's schema."""

from typing import Any

from rest_framework import serializers

Fields = serializers.Serializer[Any]


class ComparisonSerializer(Fields):
    """Chain and ledger at one final block."""

    agrees = serializers.BooleanField()
    blockNumber = serializers.IntegerField()
    at = serializers.DateTimeField()
    supplyOnChain = serializers.CharField()
    supplyInLedger = serializers.CharField()
    lockedOnChain = serializers.CharField(allow_null=True)
    lockedInLedger = serializers.CharField()


class SupplySerializer(Fields):
    issued = serializers.CharField()
    circulating = serializers.CharField()
    locked = serializers.CharField()
    compared = ComparisonSerializer(allow_null=True)


class UsedSerializer(Fields):
    mint = serializers.CharField()
    redeem = serializers.CharField()


class CapsSerializer(Fields):
    """Limits; null is none. A day is one of UTC."""

    perRequest = serializers.CharField(allow_null=True)
    perAddressDaily = serializers.CharField(allow_null=True)
    daily = serializers.CharField(allow_null=True)
    fourEyesAbove = serializers.CharField(allow_null=True)
    usedToday = UsedSerializer()


class ProviderSerializer(Fields):
    name = serializers.CharField()
    height = serializers.IntegerField(allow_null=True)
    healthy = serializers.BooleanField()
    error = serializers.CharField()


class ChainHealthSerializer(Fields):
    """What the listener saw last."""

    head = serializers.IntegerField()
    headAt = serializers.DateTimeField(allow_null=True)
    final = serializers.IntegerField()
    lagBlocks = serializers.IntegerField()
    baseFee = serializers.CharField()
    error = serializers.CharField(allow_null=True)
    rpc = serializers.CharField(allow_null=True)
    providers = ProviderSerializer(many=True)
    seenAt = serializers.DateTimeField()


class RelayerSerializer(Fields):
    address = serializers.CharField()
    balance = serializers.CharField(allow_null=True)
    low = serializers.BooleanField()
    gasPrice = serializers.CharField(allow_null=True)
    nextNonce = serializers.IntegerField()
    inFlight = serializers.IntegerField()
    error = serializers.CharField(allow_null=True)
    updatedAt = serializers.DateTimeField()


class ChainSerializer(Fields):
    chainId = serializers.IntegerField()
    name = serializers.CharField()
    profile = serializers.ChoiceField(["A", "B", "C"])
    contract = serializers.CharField(allow_null=True)
    paused = serializers.BooleanField()
    open = serializers.DictField(child=serializers.IntegerField())
    supply = SupplySerializer()
    caps = CapsSerializer()
    health = ChainHealthSerializer(allow_null=True)
    relayer = RelayerSerializer(allow_null=True)


class ServiceSerializer(Fields):
    """A service outside, as it was found last."""

    well = serializers.BooleanField()
    error = serializers.CharField(allow_null=True)
    ms = serializers.FloatField(allow_null=True)
    at = serializers.DateTimeField()


class OverviewSerializer(Fields):
    at = serializers.DateTimeField()
    paused = serializers.BooleanField()
    services = serializers.DictField(child=ServiceSerializer())
    chains = ChainSerializer(many=True)
