"""The process's own clock of slots."""

from batches import timekeeping
from batches.tests.outside import Chain
from batches.tests.waiting import until


def test_a_clock_that_has_stopped_is_started_again(chain: Chain) -> None:
    heard = timekeeping.now().pace.slot
    assert timekeeping._follower is not None
    timekeeping._follower[1].cancel()
    until(lambda: timekeeping.now().pace.slot > heard + 10)
