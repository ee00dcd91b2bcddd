"""The clock follows the slots and knows its error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.calendar import (
    FASTEST_MS,
    MIN_LEAD_SLOTS,
    RESTART_SLOTS,
    SILENT_MS,
    SLOWEST_MS,
    Pace,
    SlotClock,
    lead_slots,
)

FIRST = 350_000_000


def regular(count: int, *, slot_ms: float = 400, start_ms: float = 5_000) -> SlotClock:
    clock = SlotClock()
    for number in range(count):
        clock.observe(FIRST + number, start_ms + number * slot_ms)
    return clock


def paced(clock: SlotClock) -> Pace:
    pace = clock.pace()
    assert pace is not None
    return pace


def test_regular_slots_are_predicted_exactly() -> None:
    clock = regular(100)
    pace = paced(clock)
    assert pace.slot_ms == pytest.approx(400)
    assert pace.eta(FIRST + 1_000) == pytest.approx(405_000)
    assert pace.slot_at(405_001) == FIRST + 1_000
    assert pace.slot_at(404_999) == FIRST + 999
    assert all(spread.p99 < 0.001 for spread in clock.errors().values())


@given(
    st.integers(0, 2**40), st.floats(0, 1e9), st.floats(100, 1_000), st.integers(-(10**6), 10**6)
)
def test_a_slot_is_running_in_the_middle_of_its_time(
    slot: int, at_ms: float, slot_ms: float, ahead: int
) -> None:
    pace = Pace(slot, at_ms, slot_ms)
    assert pace.slot_at(pace.eta(slot + ahead) + slot_ms / 2) == slot + ahead


def test_one_late_notification_does_not_move_the_clock() -> None:
    clock = regular(100)
    before = paced(clock)
    clock.observe(FIRST + 101, 5_000 + 101 * 400 + 300)
    after = paced(clock)
    assert after.eta(FIRST + 110) == pytest.approx(before.eta(FIRST + 110), abs=60)


def test_slots_that_are_skipped_repeated_or_go_back_a_little_do_no_harm() -> None:
    clock = SlotClock()
    for number in range(50):
        clock.observe(FIRST + number, 5_000 + number * 400)
    for number in (47, 48, 49):
        clock.observe(FIRST + number, 25_500)
    for number in range(53, 90):
        clock.observe(FIRST + number, 5_000 + number * 400)
    assert paced(clock).eta(FIRST + 100) == pytest.approx(45_000)


def test_a_chain_that_started_anew_starts_the_clock_anew() -> None:
    clock = regular(100)
    clock.observe(FIRST - RESTART_SLOTS - 1, 60_000)
    assert clock.pace() is None
    clock.observe(FIRST - RESTART_SLOTS, 60_200)
    assert paced(clock).slot_ms == pytest.approx(200)


def test_the_pace_is_that_of_the_last_five_minutes() -> None:
    clock = regular(1_000)
    end = 5_000 + 999 * 400
    for number in range(1, 1_502):
        clock.observe(FIRST + 999 + number, end + number * 200)
    assert paced(clock).slot_ms == pytest.approx(200)


@pytest.mark.parametrize(
    ("count", "slot_ms", "degraded"),
    [(0, 400, True), (2, 400, True), (7, 400, True), (8, 400, False), (20, 50, True)],
)
def test_the_clock_is_degraded_until_it_has_heard_enough(
    count: int, slot_ms: float, degraded: bool
) -> None:
    assert regular(count, slot_ms=slot_ms).is_degraded(5_000 + count * slot_ms) is degraded


@pytest.mark.parametrize(("heard_ms", "slot_ms"), [(0.1, FASTEST_MS), (30_000, SLOWEST_MS)])
def test_no_pace_is_one_that_no_chain_has(heard_ms: float, slot_ms: float) -> None:
    assert paced(regular(2, slot_ms=heard_ms)).slot_ms == slot_ms


def test_the_clock_is_degraded_when_it_hears_nothing() -> None:
    clock, last = regular(100), 5_000 + 99 * 400
    assert not clock.is_degraded(last + SILENT_MS - 1)
    assert clock.is_degraded(last + SILENT_MS)
    clock.observe(FIRST + 110, 5_000 + 110 * 400)
    assert not clock.is_degraded(5_000 + 110 * 400)


@pytest.mark.parametrize(("slot_ms", "degraded"), [(430, False), (370, False), (480, True)])
def test_a_pace_that_has_changed_degrades_the_clock(slot_ms: int, degraded: bool) -> None:
    clock, end = regular(700), 5_000 + 699 * 400
    for number in range(1, 33):
        clock.observe(FIRST + 699 + number, end + number * slot_ms)
    assert clock.is_degraded(end + 32 * slot_ms) is degraded


def test_the_error_is_what_predictions_were_off_by() -> None:
    clock = regular(10)
    # The clock has not seen this stall coming: what it said of the slot is off by its length.
    clock.observe(FIRST + 10, 5_000 + 10 * 400 + 777)
    spread = clock.errors()[4]
    # Slots 5 to 10 were predicted, the earliest from slot 1.
    assert spread.count == 6
    assert spread.p50 < 0.001
    assert spread.p95 == spread.p99 == pytest.approx(777)
    assert 12 not in clock.errors()


def test_the_lead_is_in_whole_slots_and_never_too_short() -> None:
    assert lead_slots(2_001, 400) == 6
    assert lead_slots(2_000, 400) == 5
    assert lead_slots(500, 400) == MIN_LEAD_SLOTS
