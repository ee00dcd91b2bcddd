"""Rows for tests."""

import factory
from factory.django import DjangoModelFactory
from uuid_utils.compat import uuid7

from sandbox.evm import HOLDERS
from stablecoin.models import Request
from stablecoin.tests.outside import CHAIN, TOKEN


class RequestFactory(DjangoModelFactory[Request]):
    """A mint of one token that was just heard of; it has no work."""

    class Meta:
        model = Request

    id = factory.LazyFunction(uuid7)
    kind = "mint"
    chain_id = CHAIN
    request_id = factory.Sequence(lambda n: f"request-{n}")
    wallet = HOLDERS[0].address
    amount = TOKEN
    source = "kuro"
    created_by = "kuro"
