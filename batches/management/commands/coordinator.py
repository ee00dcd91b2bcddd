"""manage.py coordinator: batches without Celery Beat and its workers."""

import signal
import threading
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections, connection
from django.db.models import Model, Prefetch, QuerySet

from batches import coordinator, periodic, pruning, registry, timekeeping, venues
from batches.models import Batch, BatchOrder, Market, Reservation
from batches.timekeeping import Now
from chains import registry as adapters
from chains.errors import ChainError

logger = structlog.get_logger(__name__)

ACTOR = "command:coordinator"
# Between passes, stages that are due run at this step: a fraction of a slot.
STEP_S = 0.02
# What went wrong is tried again after it: a database that starts anew takes about as long.
RECOVERY_S = 1.0
# As many slots ahead are asked for to learn when auctions close.
OFFERED_SLOTS = 200
# Beyond, rows are not counted: nobody waits at the start for a look at all that there has been.
MAX_COUNTED = 100_000
# A pass over many markets plans thousands.
MAX_LINES = 20
# As many of the next batches are told of at the start.
NEXT_LINES = 5


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
            if self.stopping.wait(STEP_S) or not self._survives(coordinator.advance):
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
        self.stdout.write(
            f"  orders     {_count(BatchOrder.objects.all())} in total;"
            f" batches: {_count(Batch.objects.filter(status='PLANNED'))} planned,"
            f" {_count(Batch.objects.filter(status='SETTLED'))} settled"
        )
        for market in Market.objects.filter(active=True):
            self.stdout.write(
                f"  market     {market.name}: {market.base_mint} for {market.quote_mint},"
                f" {60_000 / market.cadence_ms:g} batches per minute,"
                f" fee {market.fee_bps / 100:g} %"
            )
        self._tell_next()
        self._tell_auctions()

    def _tell_next(self) -> None:
        """The batches that others have planned."""
        try:
            moment = timekeeping.now()
        except ChainError as error:
            self.stdout.write(f"  next       {error}")
            return
        planned = Batch.objects.filter(status="PLANNED", tick__status="PLANNED")
        nearest = planned.select_related("market", "tick").order_by("tick__target_slot", "market")
        for batch in nearest[:NEXT_LINES]:
            self.stdout.write(f"  next       {_when(batch, moment)}")

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
        bids = Prefetch("tick__reservations", Reservation.objects.order_by("-created_at"))
        newest = Batch.objects.order_by("-created_at", "-number", "market").values("created_at")
        planned = Batch.objects.filter(status="PLANNED", created_at=newest[:1])
        nearest = planned.select_related("market", "tick").order_by("tick__target_slot", "market")
        for batch in nearest.prefetch_related(bids)[:MAX_LINES]:
            made = [f"reservation {bid.id}" for bid in batch.tick.reservations.all()]
            reserved = made[0] if made else "no reservation"
            self.stdout.write(f"planned {_when(batch, moment)}, {reserved}")
        if count > MAX_LINES:
            self.stdout.write(f"  and {count - MAX_LINES} more")


def _when(batch: Batch, moment: Now) -> str:
    """A batch, its slot, and how long it is until then."""
    slot = batch.tick.target_slot or moment.slot_at(batch.tick.executes_at_ms)
    eta = (moment.eta_ms(slot) - moment.unix_ms) / 1_000
    return f"{batch.market.name} batch {batch.number}: slot {slot}, in {eta:.1f} s"


def _count(rows: QuerySet[Model]) -> str:
    found = rows.order_by()[: MAX_COUNTED + 1].count()
    return str(found) if found <= MAX_COUNTED else f"more than {MAX_COUNTED}"


def _masked_database() -> str:
    """The database's URL without what opens it."""
    options = settings.DATABASES["default"]
    host = f"{options.get('HOST') or 'local'}:{options.get('PORT') or 5432}"
    return f"postgresql://{options.get('USER')}:***@{host}/{options['NAME']}"
