"""manage.py coordinator: batches without Celery Beat and its workers."""

import signal
import threading
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections, connection
from django.db.models import Count

from batches import coordinator, periodic, pruning, registry, stages, timekeeping, venues
from batches.models import Batch, BatchOrder, Market
from batches.timekeeping import Now
from chains import registry as adapters
from chains.errors import ChainError
from fairlane.core import claims

logger = structlog.get_logger(__name__)

ACTOR = "command:coordinator"
# Between passes, stages that are due run at this step: a fraction of a slot.
STEP_S = 0.02
# What went wrong is tried again after it: a database that starts anew takes about as long.
RECOVERY_S = 1.0
# As many slots ahead are asked for to learn when auctions close.
OFFERED_SLOTS = 200


class Command(BaseCommand):
    """Coordinate batches until told to stop; what goes wrong is logged and done again."""

    help = "Plan, reserve, close, commit, clear, settle and reconcile batches, without Celery Beat."

    def handle(self, **options: Any) -> None:
        if not settings.BATCHES_KEYS_DIR:
            raise CommandError("BATCHES_KEYS_DIR is not set: there are no batches to coordinate.")
        self.stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())
        self._introduce()
        pass_s = settings.BATCH_PLAN_INTERVAL / 1_000
        # Neither a venue nor a slow node keeps a batch from its slot.
        beside = [
            self._beside(coordinator.reserve, pass_s),
            self._beside(lambda: coordinator.reconcile(ACTOR), periodic.RECONCILE_S),
            self._beside(pruning.prune, periodic.PRUNE_S),
        ]
        while not self.stopping.is_set():
            if self._survives(self._plan):
                self._advance_for(pass_s)
        for thread in beside:
            thread.join()
        self.stdout.write("stopped after the pass")

    def _beside(self, step: Callable[[], object], every_s: float) -> threading.Thread:
        """Take a step now and again on a thread of its own, until everything stops."""

        def rounds() -> None:
            while not self.stopping.is_set():
                self._survives(step)
                self.stopping.wait(every_s)
            connection.close()

        thread = threading.Thread(target=rounds)
        thread.start()
        return thread

    def _survives(self, step: Callable[[], object]) -> bool:
        """Take a step; after one that went wrong there is a pause, and False."""
        close_old_connections()
        try:
            step()
        except Exception:
            logger.exception("coordinator.failed")
            self.stopping.wait(RECOVERY_S)
            return False
        return True

    def _plan(self) -> None:
        done = coordinator.plan()
        if done.moment is None:
            self.stdout.write("planning waits: the node tells of no slots")
        elif done.planned:
            self._tell_planned(done.planned, done.moment)

    def _advance_for(self, seconds: float) -> None:
        """Run the stages that come due meanwhile."""
        for _ in range(max(1, int(seconds / STEP_S))):
            if self.stopping.wait(STEP_S) or not self._survives(_advance):
                return

    def _introduce(self) -> None:
        self.stdout.write("Fairlane coordinator")
        self.stdout.write(f"  settings   {settings.SETTINGS_MODULE}")
        self.stdout.write(f"  database   {_masked_database()}")
        with connection.cursor() as cursor:
            cursor.execute("SELECT version()")
            self.stdout.write(f"  connected  {cursor.fetchone()[0].split(',')[0]}")
        self.stdout.write(
            f"  look-ahead {settings.BATCH_LOOK_AHEAD} batches,"
            f" a pass every {settings.BATCH_PLAN_INTERVAL} ms,"
            f" cutoff {settings.CUTOFF_LEAD_MS} ms before the slot"
        )
        try:
            self.stdout.write(f"  wallet     {registry.address_of(registry.COORDINATOR)}")
        except ChainError as error:
            raise CommandError(str(error)) from None
        orders = BatchOrder.objects.aggregate(total=Count("id"))["total"]
        counts = dict(Batch.objects.order_by().values_list("status").annotate(Count("id")))
        self.stdout.write(
            f"  orders     {orders} in total; batches: {counts.get('PLANNED', 0)} planned,"
            f" {counts.get('SETTLED', 0)} settled"
        )
        for market in Market.objects.filter(active=True):
            self.stdout.write(
                f"  market     {market.name}: {market.base_mint} for {market.quote_mint},"
                f" {60_000 / market.cadence_ms:g} batches per minute,"
                f" fee {market.fee_bps / 100:g} %"
            )
        self._tell_auctions()

    def _tell_auctions(self) -> None:
        """Whether slots can be won: an auction that closes before a batch is planned is missed."""
        venue = adapters.blockspace()
        if venue is None:
            self.stdout.write("  slots      none are reserved: RAIKU_URL is not set")
            return
        try:
            moment = timekeeping.now()
            offers = venues.ask(venue.slots(moment.slot, moment.slot + OFFERED_SLOTS))
        except ChainError as error:
            self.stdout.write(f"  slots      the venue cannot be asked: {error}")
            return
        lead = max((offer.slot - offer.closes_at_slot for offer in offers), default=0)
        for market in Market.objects.filter(active=True).order_by("-cadence_ms")[:1]:
            ahead = market.look_ahead or settings.BATCH_LOOK_AHEAD
            reach = int(ahead * market.cadence_ms / moment.pace.slot_ms)
            verdict = "can be won" if reach > lead else "can never be won: plan further ahead"
            self.stdout.write(
                f"  slots      auctions close {lead} slots ahead, batches are planned {reach} slots"
                f" ahead: slots {verdict}"
            )

    def _tell_planned(self, count: int, moment: Now) -> None:
        newest = Batch.objects.filter(status="PLANNED").select_related("market", "tick")
        for batch in reversed(newest.order_by("-number", "market")[:count]):
            slot = batch.tick.target_slot or moment.slot_at(batch.tick.executes_at_ms)
            eta = (moment.eta_ms(slot) - moment.unix_ms) / 1_000
            reservation = batch.tick.reservations.order_by("-created_at").first()
            reserved = f"reservation {reservation.id}" if reservation else "no reservation"
            self.stdout.write(
                f"planned {batch.market.name} batch {batch.number}: slot {slot},"
                f" in {eta:.1f} s, {reserved}"
            )


def _advance() -> None:
    for name in claims.backlog():
        if name in stages.TASKS:
            stages.stage(name).run()


def _masked_database() -> str:
    """The database's URL without what opens it."""
    options = settings.DATABASES["default"]
    host = f"{options.get('HOST') or 'local'}:{options.get('PORT') or 5432}"
    return f"postgresql://{options.get('USER')}:***@{host}/{options['NAME']}"
