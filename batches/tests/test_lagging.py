"""A node that is some slots late takes nobody for poor, and no vault for robbed."""

import pytest
from pytest_django import Settings

from batches import reconciliation, registry
from batches.models import Market, VaultCheck
from batches.reconciliation import LOOKS
from batches.records import Side
from batches.tests import driving
from batches.tests.driving import place, read
from batches.tests.lagging import Balancer, served, through
from batches.tests.outside import BASE, OWNERS, QUOTE, Chain, token
from chains.errors import ChainError
from chains.solana.swap import token_account
from fairlane.core import switches

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_approval_that_the_node_has_not_seen_yet_is_looked_for_again(
    chain: Chain, market: Market, settings: Settings
) -> None:
    owner = OWNERS[3]
    its = [token_account(str(owner.pubkey()), token(which)) for which in (BASE, QUOTE)]
    chain.approve(owner, amount=1)
    balancer = Balancer(chain, *its)
    chain.approve(owner)
    with served(balancer) as url:
        through(settings, url, chain)
        balancer.late = 1
        order = place(market, owner)
        driving.escrowed(order)
    assert (balancer.asked, read(order).status) == (1, "OPEN")


def test_a_vault_is_not_looked_at_as_it_was_before_the_ledgers_last_entry(
    chain: Chain, market: Market, settings: Settings
) -> None:
    vault = registry.vault(market, market.base_mint)
    balancer = Balancer(chain, vault)
    sell = place(market, OWNERS[1], side=Side.SELL, quantity=3)
    driving.escrowed(sell)
    VaultCheck.objects.all().delete()
    with served(balancer) as url:
        through(settings, url, chain)
        balancer.late = LOOKS
        with pytest.raises(ChainError, match="behind, at every look"):
            reconciliation.check(market.base_mint, actor="tests")
        balancer.late = 3
        reconciliation.check(market.base_mint, actor="tests")
    assert balancer.asked == LOOKS + 3
    switches.forget()
    assert switches.is_on(market.switch)
