"""The overview of all chains."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fairlane.core import switches
from fairlane.core.tests.access_fixtures import IssueKey, fresh_process, issue_key
from stablecoin import overview, probes
from stablecoin.models import (
    Chain,
    ChainState,
    LedgerBalance,
    Reconciliation,
    Relayer,
    Usage,
)
from stablecoin.tests.factories import RequestFactory
from stablecoin.tests.outside import CHAIN, TOKEN

__all__ = ["fresh_process", "issue_key"]

pytestmark = pytest.mark.django_db

RELAYER = "6b1f6a53-8a0e-4c0e-9d3b-0a5a37d1f5c2"


@pytest.fixture
def chain() -> Chain:
    """A chain of which everything is known."""
    chain = Chain.objects.create(
        chain_id=CHAIN, name="A", contract="0x1", daily_cap=10 * TOKEN, per_request_cap=2 * TOKEN
    )
    provider = {
        "name": "rpc.example", "height": 110, "healthy": True, "in_use": True, "error": "",
        "behind": 0,
    }  # fmt: skip
    ChainState.objects.create(chain=chain, head=110, listened=108, providers=[provider])
    for account, amount in (("issued", -5), ("circulating", 3), ("locked", 2)):
        LedgerBalance.objects.create(chain=chain, account=account, amount=amount * TOKEN + 1)
    Relayer.objects.create(id=RELAYER, chain=chain, address="0x2", balance=1, gas_price=10**9)
    today = datetime.now(UTC).date()
    for wallet in ("", "0x3"):
        Usage.objects.create(chain=chain, kind="mint", day=today, wallet=wallet, amount=TOKEN)
    return chain


def test_a_chain_is_shown_to_the_last_base_unit(chain: Chain) -> None:
    (shown,) = overview.read()["chains"]
    assert shown["supply"]["issued"] == str(5 * TOKEN - 1)
    assert shown["supply"]["circulating"] == str(3 * TOKEN + 1)
    assert shown["supply"]["locked"] == str(2 * TOKEN + 1)
    assert shown["caps"]["daily"] == str(10 * TOKEN)
    assert shown["caps"]["perAddressDaily"] is None
    assert shown["caps"]["usedToday"] == {"mint": str(TOKEN), "redeem": "0"}
    assert (shown["health"]["head"], shown["health"]["lagBlocks"]) == (110, 2)
    assert shown["health"]["rpc"] == "rpc.example"
    assert (shown["relayer"]["balance"], shown["relayer"]["low"]) == ("1", True)


def test_both_sides_are_shown_where_they_differ(chain: Chain) -> None:
    Reconciliation.objects.create(
        chain=chain,
        block_number=107,
        supply_on_chain=6 * TOKEN,
        supply_in_ledger=5 * TOKEN,
        locked_in_ledger=0,
        differs_since=datetime.now(UTC),
    )
    (shown,) = overview.read()["chains"]
    compared = shown["supply"]["compared"]
    assert compared["agrees"] is False
    assert compared["supplyOnChain"] == str(6 * TOKEN)
    assert compared["supplyInLedger"] == str(5 * TOKEN)


def test_open_requests_are_counted_by_state(chain: Chain) -> None:
    RequestFactory.create_batch(2, status="REVIEW")
    RequestFactory.create(status="COMPLETED", transaction_hash="0x1")
    (shown,) = overview.read()["chains"]
    assert shown["open"] == {"REVIEW": 2}


def test_pauses_and_services_are_shown(chain: Chain) -> None:
    switches.set_switch(name=f"stablecoin.chain.{CHAIN}", on=False, by="ada", reason="upgrade")
    switches.forget()
    probes.record(probes.KEY_SERVICE, error="KMS could not be reached")
    found = overview.read()
    switches.forget()
    assert (found["paused"], found["chains"][0]["paused"]) == (False, True)
    assert found["services"]["kms"]["error"] == "KMS could not be reached"


def test_a_chain_nobody_has_seen_is_shown_too() -> None:
    Chain.objects.create(chain_id=CHAIN, name="A")
    (shown,) = overview.read()["chains"]
    assert (shown["health"], shown["relayer"], shown["supply"]["compared"]) == (None, None, None)
    assert shown["supply"]["issued"] == "0"


def test_more_chains_and_requests_cost_no_more_queries(chain: Chain) -> None:
    counts = []
    for number in (1, 2):
        other = Chain.objects.create(chain_id=CHAIN + number, name="B")
        ChainState.objects.create(chain=other)
        RequestFactory.create_batch(5, chain_id=other.chain_id)
        switches.forget()
        with CaptureQueriesContext(connection) as queries:
            assert len(overview.read()["chains"]) == number + 1
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_api_needs_the_scope(chain: Chain, client: Client, issue_key: IssueKey) -> None:
    assert client.get("/api/stablecoin/chains").status_code == 401
    for scope, status in (("orders:read", 403), ("stablecoin:read", 200)):
        _, plain = issue_key(scope)
        headers = {"Authorization": f"Bearer {plain}"}
        answer = client.get("/api/stablecoin/chains", headers=headers)
        assert answer.status_code == status
    assert answer.json()["chains"][0]["chainId"] == CHAIN
