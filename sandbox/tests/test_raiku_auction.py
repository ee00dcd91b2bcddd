from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.services.raiku.auction import (
    OPEN_SLOTS,
    SLOT_CU,
    Offer,
    Terms,
    clear,
    jit_floor,
    lamports,
    terms,
)
from sandbox.services.raiku.leaders import SLOTS_PER_LEADER, leader

offers = st.lists(st.builds(Offer, st.integers(1, SLOT_CU), st.integers(0, 30)), max_size=20)
conditions = st.builds(
    Terms, st.just(0), st.just(0), floor=st.integers(0, 20), rival=st.integers(0, 20)
)
seeds = st.integers(0, 2**32)
slots = st.integers(0, 2**40)


@given(offers, conditions)
def test_no_more_is_sold_than_there_is_and_nobody_pays_more_than_was_bid(
    offers: list[Offer], terms: Terms
) -> None:
    outcome = clear(offers, terms=terms)
    won = [offers[i] for i in outcome.winners]
    assert sum(offer.cu for offer in won) <= SLOT_CU
    assert outcome.price >= max(terms.floor, terms.rival)
    assert all(offer.price >= outcome.price for offer in won)


@given(offers, conditions)
def test_nobody_loses_who_bid_more_than_the_price(offers: list[Offer], terms: Terms) -> None:
    outcome = clear(offers, terms=terms)
    lost = [offer for i, offer in enumerate(offers) if i not in outcome.winners]
    assert all(offer.price <= outcome.price for offer in lost)


@given(offers, conditions)
def test_a_rival_loses_only_against_a_dearer_bid(offers: list[Offer], terms: Terms) -> None:
    outcome = clear(offers, terms=terms)
    assert all(offers[i].price > terms.rival for i in outcome.winners)
    assert all(offers[i].price >= terms.floor for i in outcome.winners)


@given(st.lists(st.integers(0, 30), unique=True, max_size=10), conditions, st.randoms())
def test_the_order_decides_among_equal_prices_only(
    prices: list[int], terms: Terms, random: Random
) -> None:
    offers = [Offer(SLOT_CU // 3, price) for price in prices]
    shuffled = random.sample(offers, len(offers))
    one, other = clear(offers, terms=terms), clear(shuffled, terms=terms)
    assert [offers[i] for i in one.winners] == [shuffled[i] for i in other.winners]
    assert one.price == other.price


@given(offers.filter(bool), conditions, st.data())
def test_a_higher_bid_never_loses_what_a_lower_one_won(
    offers: list[Offer], terms: Terms, data: st.DataObject
) -> None:
    outcome = clear(offers, terms=terms)
    if not outcome.winners:
        return
    position = data.draw(st.sampled_from(outcome.winners))
    raised = list(offers)
    raised[position] = Offer(offers[position].cu, offers[position].price + 1)
    assert position in clear(raised, terms=terms).winners


def test_among_equal_bids_the_earlier_wins() -> None:
    outcome = clear([Offer(SLOT_CU, 9), Offer(1, 9)], terms=Terms(0, 0, 1, 0))
    assert (outcome.winners, outcome.price) == ((0,), 9)


@given(seeds, slots, st.sampled_from([12, 35, 50, 90]))
def test_terms_are_a_function_of_seed_and_slot(seed: int, slot: int, lead: int) -> None:
    found = terms(seed, slot, lead=lead)
    assert found == terms(seed, slot, lead=lead)
    assert 0 <= found.opens_at <= found.closes_at <= slot
    assert found.rival == 0 or found.floor <= found.rival <= 3 * found.floor
    if slot >= lead + OPEN_SLOTS:
        assert (found.closes_at, found.opens_at) == (slot - lead, slot - lead - OPEN_SLOTS)


def test_slots_differ_and_so_do_seeds() -> None:
    found = [terms(1, slot, lead=12) for slot in range(1000, 2000)]
    assert len({one.floor for one in found}) > 300
    assert 200 < sum(one.rival == 0 for one in found) < 300
    assert found != [terms(2, slot, lead=12) for slot in range(1000, 2000)]


@given(seeds, st.integers(0, 100), st.integers(0, 100), slots)
def test_a_larger_share_keeps_every_slot(seed: int, one: int, other: int, slot: int) -> None:
    small, large = sorted((one, other))
    address = leader(seed, small, slot)
    assert address is None or leader(seed, large, slot) == address


@given(seeds, st.integers(0, 100), slots)
def test_leaders_keep_four_slots_in_a_row(seed: int, share: int, slot: int) -> None:
    first = slot - slot % SLOTS_PER_LEADER
    assert len({leader(seed, share, first + i) for i in range(SLOTS_PER_LEADER)}) == 1


@pytest.mark.parametrize("share", [0, 8, 50, 100])
def test_the_venue_leads_its_share(share: int) -> None:
    led = [leader(3, share, slot) for slot in range(40_000)]
    percent = sum(address is not None for address in led) / 400
    assert abs(percent - share) < 2
    assert (share in (0, 100)) == (percent in (0, 100))


@pytest.mark.parametrize(
    ("cu", "price", "cost"), [(1, 1, 1), (1_000_000, 5, 5), (1_000_001, 1, 2), (200_000, 0, 0)]
)
def test_a_cost_is_rounded_up_once(cu: int, price: int, cost: int) -> None:
    assert lamports(cu, price) == cost


def test_immediate_inclusion_costs_a_twentieth_more() -> None:
    assert [jit_floor(floor) for floor in (1000, 1001, 0)] == [1050, 1052, 0]
