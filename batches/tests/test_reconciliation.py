"""A vault that holds less than the ledger says pauses its markets; one that holds more does not."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.hash import Hash
from solders.message import Message
from solders.pubkey import Pubkey
from uuid_utils.compat import uuid7

from batches import reconciliation, registry
from batches.models import Account, Direction, Market, Packet, Transfer, VaultBalance, VaultCheck
from batches.reconciliation import Sides
from batches.tests.outside import OWNER_ADDRESSES, OWNERS, QUOTE, Chain, token
from chains.solana import programs
from chains.solana.swap import token_account
from fairlane.core import switches

AMOUNTS = st.integers(0, 1_000)


def give_to_vault(chain: Chain, amount: int) -> None:
    """Anybody can."""
    which, owner = token(QUOTE), OWNERS[5]
    instruction = programs.transfer_checked(
        program=programs.token_program(token2022=which.token2022),
        source=Pubkey.from_string(token_account(str(owner.pubkey()), which)),
        mint=QUOTE.mint,
        destination=Pubkey.from_string(registry.vault(Market.objects.get(), which.mint)),
        authority=owner.pubkey(),
        amount=amount,
        decimals=QUOTE.decimals,
    )
    blockhash = chain.call("getLatestBlockhash")["value"]["blockhash"]
    hash_ = Hash.from_string(blockhash)
    chain.land(Message.new_with_blockhash([instruction], owner.pubkey(), hash_), owner)


def book(market: Market, amount: int) -> None:
    """Let the ledger say that the vault holds so much."""
    VaultBalance.objects.update_or_create(
        market=market, mint=market.quote_mint, account=Account.VAULT, defaults={"amount": amount}
    )


def check(market: Market) -> tuple[int, bool]:
    """The difference that is known then, and whether the market is paused."""
    reconciliation.check(market.quote_mint, actor="test")
    switches.forget()
    return int(VaultCheck.objects.get().difference), not switches.is_on(market.switch)


def resume(market: Market) -> None:
    switches.set_switch(name=market.switch, on=True, by="user:ada", reason="found out why")


def transfer(market: Market, status: str, packet_status: str | None, **columns: Any) -> Transfer:
    packet = None
    if packet_status is not None:
        packet = Packet.objects.create(
            id=uuid7(),
            direction=Direction.PAY,
            status=packet_status,
            signature=str(uuid7()),
            transaction=b"",
            first_slot=1,
            last_valid_block_height=2,
        )
    values = {"direction": Direction.PAY, "amount": 1_000, "packet": packet} | columns
    return Transfer.objects.create(
        id=uuid7(),
        market=market,
        mint=market.quote_mint,
        wallet=OWNER_ADDRESSES[0],
        status=status,
        **values,
    )


def test_what_a_stranger_sends_to_the_vault_is_shown_and_pauses_nothing(
    chain: Chain, market: Market
) -> None:
    book(market, chain.vault(QUOTE))
    assert check(market) == (0, False)
    give_to_vault(chain, 7)
    assert check(market) == (7, False)
    assert VaultCheck.objects.get().differs_since is None


def test_what_the_vault_lacks_pauses_and_pauses_again_when_it_gets_worse(
    chain: Chain, market: Market
) -> None:
    held = chain.vault(QUOTE)
    book(market, held + 5)
    assert check(market) == (-5, True)
    since = VaultCheck.objects.get().differs_since
    resume(market)
    assert check(market) == (-5, False)
    book(market, held + 6)
    assert check(market) == (-6, True)
    assert VaultCheck.objects.get().differs_since == since
    book(market, held + 2)
    resume(market)
    assert check(market) == (-2, False)
    book(market, held + 3)
    assert check(market) == (-3, True)
    book(market, held)
    assert check(market) == (0, True)
    assert VaultCheck.objects.get().differs_since is None


@pytest.mark.parametrize(
    ("status", "packet_status", "may_have_happened"),
    [
        ("PACKED", "SIGNED", True),
        ("REVIEW", "REVIEW", True),
        ("REVIEW", "FAILED", False),
        ("REVIEW", None, False),
        ("DUE", None, False),
    ],
)
def test_only_what_may_have_happened_excuses_a_deficit(
    chain: Chain, market: Market, status: str, packet_status: str | None, may_have_happened: bool
) -> None:
    book(market, chain.vault(QUOTE) + 900)
    transfer(market, status, packet_status)
    assert check(market) == ((0, False) if may_have_happened else (-900, True))


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS), min_size=1, max_size=8))
def test_what_is_on_its_way_never_hides_and_never_makes_up_a_deficit(
    moments: list[tuple[int, int, int, int]],
) -> None:
    """Each moment: what has happened and is not recorded, of all that is on its way, both ways."""
    true = -50
    known, seen = 0, []
    for arrived, incoming, left, outgoing in moments:
        on_chain = 10_000 + true + min(arrived, incoming) - min(left, outgoing)
        sides = Sides("mint", 1, on_chain, 10_000, incoming, outgoing, known)
        known = sides.difference
        seen.append(known)
        assert sides.is_worse == (known < (seen[-2] if len(seen) > 1 else 0))
    # It only ever comes nearer to what is so.
    assert all(true <= later <= earlier <= 0 for earlier, later in pairwise([0, *seen]))
    quiet = Sides("mint", 1, 10_000 + true, 10_000, 0, 0, known)
    assert quiet.difference == true
