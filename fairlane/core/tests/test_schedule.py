import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from fairlane.core import schedule
from fairlane.core.schedule import PERIODIC, Periodic

pytestmark = pytest.mark.django_db

# Of an app that is off now.
OFF = Periodic("off", "stablecoin.off", 5, "", queue="stablecoin")


def test_every_declared_task_is_created_and_expires_with_its_interval() -> None:
    assert schedule.sync() == [task.name for task in PERIODIC]
    sweep = PeriodicTask.objects.get(task="core.sweep")
    assert (sweep.interval.every, sweep.queue, sweep.expire_seconds) == (1, "default", 2)
    purge = PeriodicTask.objects.get(task="core.purge")
    assert (purge.interval.every, purge.expire_seconds, purge.enabled) == (3600, 3600, True)


def test_what_an_operator_changed_stays() -> None:
    schedule.sync()
    slow = IntervalSchedule.objects.create(every=99, period="seconds")
    PeriodicTask.objects.filter(task="core.sweep").update(interval=slow, enabled=False)
    schedule.sync()
    sweep = PeriodicTask.objects.get(task="core.sweep")
    assert (sweep.interval.every, sweep.enabled) == (99, False)
    assert PeriodicTask.objects.count() == len(PERIODIC)


def test_a_task_no_longer_declared_goes_and_others_tasks_stay() -> None:
    schedule.sync([*PERIODIC, Periodic("old", "core.old", 5, ""), OFF])
    every = IntervalSchedule.objects.first()
    PeriodicTask.objects.create(name="their own", task="celery.backend_cleanup", interval=every)
    schedule.sync()
    names = set(PeriodicTask.objects.values_list("name", flat=True))
    assert names == {"their own", *(task.name for task in PERIODIC)}


def test_intervals_an_operator_doubled_do_not_stop_the_sync() -> None:
    for _ in range(2):
        IntervalSchedule.objects.create(every=1, period="seconds")
    schedule.sync()
    assert PeriodicTask.objects.filter(task="core.sweep").exists()
