"""Rows as the services would have left them."""

from datetime import UTC, datetime
from typing import Any, ClassVar

import factory
from solders.keypair import Keypair
from solders.signature import Signature
from uuid_utils.compat import uuid7

from fairlane.core.models import Event, Work
from orders.models import Attempt, Order, Quote
from orders.stage_names import ROUTE
from sandbox.tokens import TOKENS

MINTS = {token.symbol: str(token.mint) for token in TOKENS}
TRADER_KEYS = [Keypair.from_seed(bytes([number] * 32)) for number in range(1, 5)]
TRADERS = [str(key.pubkey()) for key in TRADER_KEYS]
WALLET = TRADERS[0]


class EventFactory(factory.django.DjangoModelFactory[Event]):
    class Meta:
        model = Event

    kind = Order.EVENT_KIND
    object_id = factory.LazyFunction(uuid7)
    seq = 1
    status = "PENDING"
    wallet = WALLET


class WorkFactory(factory.django.DjangoModelFactory[Work]):
    class Meta:
        model = Work

    object_id = factory.LazyFunction(uuid7)
    stage = ROUTE


class OrderFactory(factory.django.DjangoModelFactory[Order]):
    """An order with its first event; ``stage`` gives it open work, due now."""

    class Meta:
        model = Order
        skip_postgeneration_save = True

    class Params:
        failed = factory.Trait(
            status="FAILED", failure_kind="routing", failure_reason="no venue answered"
        )
        confirmed = factory.Trait(
            status="CONFIRMED",
            spent_amount=factory.SelfAttribute("input_amount"),
            output_amount=160_000_000,
            signature=factory.LazyFunction(lambda: str(Signature.new_unique())),
        )

    id = factory.LazyFunction(uuid7)
    created_by = "key:1"
    wallet = WALLET
    input_token_id = MINTS["SOL"]
    output_token_id = MINTS["USDC"]
    input_amount = 10**9
    slippage_bps = 50
    queued_at = factory.Maybe("stage", factory.LazyFunction(lambda: datetime.now(UTC)), None)

    told = factory.RelatedFactory(
        EventFactory,
        object_id=factory.SelfAttribute("..id"),
        wallet=factory.SelfAttribute("..wallet"),
    )

    stage: ClassVar[str | None] = None

    @classmethod
    def _create(cls, model_class: type[Order], *args: Any, **columns: Any) -> Order:
        stage = columns.pop("stage", None)
        order: Order = super()._create(model_class, *args, **columns)  # type: ignore[no-untyped-call]
        if stage:
            WorkFactory.create(object_id=order.id, stage=stage)
        return order


class QuoteFactory(factory.django.DjangoModelFactory[Quote]):
    class Meta:
        model = Quote

    order = factory.SubFactory(OrderFactory)
    round = 1
    venue = "raydium"
    reference = factory.Sequence("quote-{}".format)
    maker = TRADERS[3]
    output_amount = 160_000_000
    net_amount = 159_998_400
    fee_amount = 480_000
    fee_bps = 30
    price_impact_bps = 1


class AttemptFactory(factory.django.DjangoModelFactory[Attempt]):
    """An attempt that waits for its venue, or (``signed``) may land."""

    class Meta:
        model = Attempt

    class Params:
        signed = factory.Trait(
            state="SIGNED",
            signature=factory.LazyFunction(lambda: str(Signature.new_unique())),
            transaction=b"bytes that are signed",
        )

    order = factory.SubFactory(OrderFactory)
    number = 1
    venue = "raydium"
    reference = factory.Sequence("quote-{}".format)
    maker = TRADERS[3]
    output_amount = 160_000_000
    message = b"a message"
    first_slot = 800
    last_valid_block_height = 1_000
