"""What health and metrics tell of chains and services outside."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chains import registry as adapters
from fairlane.core import gauges as core_gauges
from fairlane.core import health, metrics
from stablecoin import gauges, probes
from stablecoin.models import Chain, ChainState, LedgerBalance, Reconciliation, Relayer
from stablecoin.tests.factories import RequestFactory
from stablecoin.tests.outside import CHAIN

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def just_started(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(core_gauges, "_started_at", time.monotonic())
    health._kept.clear()
    yield
    health._kept.clear()


@pytest.fixture
def chain() -> Chain:
    return Chain.objects.create(chain_id=CHAIN, name="A", contract="0x1")


def state(chain: Chain, **columns: Any) -> ChainState:
    provider = {"name": "rpc.example", "in_use": True}
    values = {"head": 110, "final": 107, "listened": 108, "providers": [provider]} | columns
    return ChainState.objects.create(chain=chain, **values)


def test_a_chain_that_is_followed_is_up(chain: Chain) -> None:
    state(chain)
    report = health.overview()
    part = report["parts"][f"chains/{CHAIN}"]
    assert report["services"]["chains"][str(CHAIN)] == "up"
    assert (part["height"], part["final"], part["lagBlocks"]) == (110, 107, 2)
    assert part["provider"] == "rpc.example"


def test_a_chain_in_trouble_is_down_and_says_why(chain: Chain) -> None:
    state(chain, error="no provider answers")
    report = health.overview()
    assert report["status"] == "failing"
    assert report["services"]["chains"][str(CHAIN)] == "down"
    assert report["parts"][f"chains/{CHAIN}"]["reason"] == "no provider answers"


def test_a_chain_nobody_looks_at_is_down(chain: Chain) -> None:
    state(chain, updated_at=timezone.now() - timedelta(seconds=31))
    reason = health.overview()["parts"][f"chains/{CHAIN}"]["reason"]
    assert reason == "nobody has looked at it for 31 s"


def test_a_chain_that_was_never_seen_is_given_time(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert health.overview()["services"]["chains"][str(CHAIN)] == "up"
    health._kept.clear()
    monkeypatch.setattr(core_gauges, "_started_at", time.monotonic() - gauges.SILENT_SECONDS - 1)
    assert health.overview()["services"]["chains"][str(CHAIN)] == "down"


def test_a_chain_that_differs_from_its_ledger_is_down(chain: Chain) -> None:
    state(chain)
    Reconciliation.objects.create(
        chain=chain,
        block_number=107,
        supply_on_chain=2,
        supply_in_ledger=1,
        locked_in_ledger=0,
        differs_since=timezone.now(),
    )
    reason = health.overview()["parts"][f"chains/{CHAIN}"]["reason"]
    assert reason == "chain and ledger differ"
    assert gauges.differs() == {(str(CHAIN),): 1.0}


def test_services_outside_are_as_they_were_found_last() -> None:
    probes.record(probes.KEY_SERVICE, ms=3.0)
    probes.record(probes.COMPLIANCE, error="it does not answer")
    report = health.overview()
    assert (report["services"]["kms"], report["services"]["kuro"]) == ("up", "down")
    assert report["parts"]["kms"]["answeredMs"] == 3.0
    assert report["parts"]["kuro"]["reason"] == "it does not answer"


def test_metrics_tell_how_the_key_service_signs() -> None:
    adapters._observe_signature("signed", 0.02)
    adapters._observe_signature("transient", 4.0)
    text = metrics.render().decode()
    assert 'fairlane_signature_seconds_bucket{le="0.025",outcome="signed"}' in text
    assert 'fairlane_signature_seconds_count{outcome="transient"}' in text


def test_metrics_tell_of_requests_chains_relayers_and_the_ledger(chain: Chain) -> None:
    state(chain)
    RequestFactory.create_batch(2)
    RequestFactory.create(status="COMPLETED", transaction_hash="0x1")
    LedgerBalance.objects.create(chain=chain, account="circulating", amount=5)
    Relayer.objects.create(
        id="6b1f6a53-8a0e-4c0e-9d3b-0a5a37d1f5c2", chain=chain, address="0x2", balance=7
    )
    text = metrics.render().decode()
    for line in (
        'fairlane_stablecoin_open{status="RECEIVED",type="mint"} 2.0',
        f'fairlane_chain_head{{chain="{CHAIN}"}} 110.0',
        f'fairlane_chain_lag_blocks{{chain="{CHAIN}"}} 2.0',
        f'fairlane_relayer_balance_wei{{chain="{CHAIN}",relayer="0x2"}} 7.0',
        f'fairlane_ledger_balance{{account="circulating",chain="{CHAIN}"}} 5.0',
    ):
        assert line in text
    assert 'status="COMPLETED"' not in text
