"""Which slots are bid for."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from batches.choosing import Wanted, choose
from chains.blockspace import SlotOffer

OFFER = SlotOffer(
    slot=100,
    leader="venue",
    opens_at_slot=40,
    closes_at_slot=88,
    min_micro_lamports_per_cu=1_000,
    cu_free=2_000,
)


def chosen(wanted: list[Wanted], offers: list[SlotOffer], **changes: int) -> dict[int, int]:
    options = {"slot": 60, "units": 1_000, "most": 5_000} | changes
    found = choose(wanted, offers, **options)  # type: ignore[arg-type]
    return {tick: offer.slot for tick, offer in found.items()}


def test_a_tick_gets_the_first_slot_of_its_own() -> None:
    offers = [replace(OFFER, slot=slot) for slot in (95, 101, 103, 106)]
    assert chosen([Wanted(1, 100, 104)], offers) == {1: 101}
    assert chosen([Wanted(1, 107, 111)], offers) == {}


def test_two_ticks_never_want_the_same_slot() -> None:
    offers = [replace(OFFER, slot=slot) for slot in (101, 103)]
    both = [Wanted(2, 100, 104), Wanted(1, 99, 103)]
    assert chosen(both, offers) == {1: 101, 2: 103}
    assert choose(both, offers, slot=60, units=1, most=5_000, taken={101, 103}) == {}


def test_what_cannot_be_won_is_not_asked_for() -> None:
    wanted = [Wanted(1, 100, 104)]
    assert chosen(wanted, [OFFER], slot=39) == {}
    assert chosen(wanted, [OFFER], slot=88) == {}
    assert chosen(wanted, [OFFER], slot=87) == {1: 100}
    assert chosen(wanted, [OFFER], units=2_001) == {}
    assert chosen(wanted, [OFFER], most=999) == {}


@given(
    st.sets(st.integers(80, 130)),
    st.lists(st.integers(80, 130), unique=True, max_size=10),
)
def test_every_tick_stays_within_its_own_slots(offered: set[int], firsts: list[int]) -> None:
    wanted = [Wanted(number, first, first + 4) for number, first in enumerate(firsts)]
    found = chosen(wanted, [replace(OFFER, slot=slot) for slot in offered])
    assert len(set(found.values())) == len(found)
    for each in wanted:
        if each.tick in found:
            assert each.first <= found[each.tick] <= each.last
            assert found[each.tick] in offered
