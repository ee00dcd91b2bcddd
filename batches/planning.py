"""The rolling schedule: which batches exist, however often and by whomever it is planned."""

from math import ceil

from django.conf import settings
from django.db import connection

from batches.calendar import ESCROW_SLOTS, MIN_LEAD_SLOTS
from batches.stage_names import CLOSE
from batches.timekeeping import Now

# Names are functions of what is planned, so that planning twice plans once; those of batches
# ascend, so that they lie together. Only batches whose cutoff is ahead are planned, as many as
# asked for beyond those too near for an escrow to be seen, and beneath no tick that is closed: one
# that somebody holds is being closed now. A tick's first work is due when its cutoff is thought to
# be: the slot decides, not this time. What was planned so far ahead that the clock must have been
# wrong keeps nothing nearer from being planned.
_PLAN = """
    WITH active AS (
        SELECT m.id, m.address, m.cadence_ms, m.planned_until,
            coalesce(m.look_ahead, %(look_ahead)s) AS look_ahead,
            greatest(coalesce(m.cutoff_lead_ms, %(lead)s), %(least)s) AS lead
        FROM batches_market m WHERE m.active
        ORDER BY m.id FOR NO KEY UPDATE
    ), leads AS (
        SELECT cadence_ms, max(lead) AS lead, (%(now)s::bigint + max(lead)) / cadence_ms AS closing,
            (%(now)s::bigint + max(lead) + %(escrow)s) / cadence_ms AS taking
        FROM active GROUP BY cadence_ms
    ), ahead AS (
        SELECT id, address, cadence_ms, planned_until,
            greatest(CASE WHEN planned_until <= taking + 2 * look_ahead THEN planned_until END,
                closing) + 1 AS first,
            taking + look_ahead AS last
        FROM active JOIN leads USING (cadence_ms)
    ), due AS (
        SELECT id, address, cadence_ms, number FROM ahead, generate_series(first, last) AS number
    ), shared AS (
        SELECT md5('tick ' || cadence_ms || ' ' || number)::uuid AS id, cadence_ms, number
        FROM (SELECT DISTINCT cadence_ms, number FROM due) AS each
    ), ticks AS (
        INSERT INTO batches_tick (id, cadence_ms, number, status, seq, wallet, lane, batches)
        SELECT id, cadence_ms, number, 'PLANNED', 1, '', 'NORMAL', 0 FROM shared
        ON CONFLICT DO NOTHING RETURNING id, cadence_ms, number
    ), work AS (
        INSERT INTO core_work (object_id, stage, due_at)
        SELECT id, %(stage)s, to_timestamp(((number + 1) * cadence_ms - lead) / 1000.0)
        FROM ticks JOIN leads USING (cadence_ms)
        ON CONFLICT DO NOTHING
    ), standing AS (
        SELECT id, cadence_ms, number FROM batches_tick
        WHERE status = 'PLANNED' AND id IN (SELECT id FROM shared)
        FOR KEY SHARE SKIP LOCKED
    ), batches AS (
        INSERT INTO batches_batch (id, market_id, tick_id, number, status, seq, wallet, orders,
            price, volume, turnover, fees, fills, pool_used, pool_lots, pool_quote, reason)
        SELECT (lpad(to_hex(number), 16, '0') || lpad(to_hex(due.id), 16, '0'))::uuid, due.id,
            open.id, number, 'PLANNED', 1, address, 0, 0, 0, 0, 0, 0, false, 0, 0, ''
        FROM due JOIN (SELECT * FROM ticks UNION ALL SELECT * FROM standing) AS open
            USING (cadence_ms, number)
        ON CONFLICT DO NOTHING RETURNING 1
    ), moved AS (
        UPDATE batches_market m SET planned_until = ahead.last
        FROM ahead WHERE m.id = ahead.id AND ahead.last > m.planned_until
    )
    SELECT count(*) FROM batches
"""

# Where ticks that nothing is decided about will be, as far as is known now. One that somebody holds
# is being decided about.
_ESTIMATE = """
    UPDATE batches_tick SET target_slot = estimate.slot
    FROM (
        SELECT id, ceil(%(slot)s + ((number + 1) * cadence_ms - %(at)s) / %(slot_ms)s) AS slot
        FROM batches_tick WHERE status = 'PLANNED' AND lane = 'NORMAL'
        FOR NO KEY UPDATE SKIP LOCKED
    ) AS estimate
    -- Asked again of the row as it is by now: one that was closed or won meanwhile keeps its slot.
    WHERE batches_tick.id = estimate.id AND batches_tick.status = 'PLANNED'
        AND batches_tick.lane = 'NORMAL'
        AND batches_tick.target_slot IS DISTINCT FROM estimate.slot
"""


def plan(moment: Now) -> int:
    """Plan what is ahead of every active market in one statement; returns how many batches.

    What was missed is not planned any more: a batch of the past takes no orders.

    Args:
        moment: by the clock that all hosts share.
    """
    slot_ms = moment.pace.slot_ms
    with connection.cursor() as cursor:
        cursor.execute(
            _PLAN,
            {
                "now": int(moment.unix_ms),
                "look_ahead": settings.BATCH_LOOK_AHEAD,
                "stage": CLOSE,
                "lead": settings.CUTOFF_LEAD_MS,
                "escrow": ceil(ESCROW_SLOTS * slot_ms),
                "least": ceil(MIN_LEAD_SLOTS * slot_ms),
            },
        )
        (planned,) = cursor.fetchone()
        slot = moment.slot
        cursor.execute(
            _ESTIMATE,
            {"slot": slot, "at": moment.eta_ms(slot), "slot_ms": moment.pace.slot_ms},
        )
    return int(planned)
