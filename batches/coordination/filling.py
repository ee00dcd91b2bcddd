"""What a clearing does to the orders of a tick: rows, fills and events in one statement.

It is `transitions.move` for orders by the hundred thousand: the same guard on the status and the
same event in the same write, with columns that are copied instead of documents for each row.
"""

import json
from collections.abc import Sequence

import numpy as np
from django.db import connection

from batches.coordination import copying
from batches.coordination.outcomes import Ending, Outcome
from batches.models import BatchOrder
from batches.states import ORDER
from fairlane.core import arrays

# Of the connection; empty outside of a transaction, and when a savepoint's statements begin. The
# memory is for what the statement's parts hand to each other, which would go over the disk.
_TABLE = """
    SET LOCAL work_mem = '64MB';
    CREATE TEMPORARY TABLE IF NOT EXISTS batches_ending (place bigint, id uuid, ending bigint,
        lots bigint, quote bigint, fee bigint, surplus bigint, remaining bigint, age bigint,
        escrow_left numeric) ON COMMIT DELETE ROWS;
    DELETE FROM batches_ending
"""

_FILL = """
    WITH ended AS (
        UPDATE batches_batchorder o SET
            status = i.status, remaining = i.remaining, age = i.age, escrow_left = i.escrow_left,
            batch_id = NULL, batch_no = b.number + 1, updated_at = clock_timestamp(),
            seq = o.seq + (i.lots > 0 OR i.status <> 'OPEN')::int,
            reason = CASE WHEN i.status = 'EXPIRED' THEN 'its one batch is over' ELSE o.reason END
        FROM (SELECT *, (%(statuses)s::text[])[ending + 1] AS status FROM batches_ending) i
            JOIN unnest(%(batches)s::uuid[], %(numbers)s::bigint[], %(markets)s::text[])
                WITH ORDINALITY AS b(id, number, market, place) USING (place)
        WHERE o.id = i.id AND o.batch_id = b.id AND o.status = 'OPEN'
            AND (i.status = 'OPEN' OR i.status = ANY(%(following)s))
        RETURNING o.id, o.seq, o.wallet, o.updated_at, o.status, o.remaining, i.lots, i.quote,
            i.fee, i.surplus, b.id AS batch_id, b.number, b.market
    ), gone AS (
        DELETE FROM batches_bookentry k USING ended
        WHERE k.order_id = ended.id AND ended.status <> 'OPEN'
    ), filled AS (
        INSERT INTO batches_batchfill (batch_id, order_id, lots, quote, fee, surplus)
        SELECT batch_id, id, lots, quote, fee, surplus FROM ended WHERE lots > 0
    ), told AS (
        INSERT INTO core_event (kind, object_id, seq, status, wallet, data, created_at)
        -- As text, which is a third cheaper than building it of its parts.
        SELECT %(kind)s, id, seq, status, wallet, (
            '{"market": ' || market || ', "batchNo": ' || number || ', "lots": "' || lots ||
            '", "quote": "' || quote || '", "fee": "' || fee || '", "remaining": "' || remaining ||
            '"}'
        )::jsonb, updated_at FROM ended WHERE lots > 0 OR status <> 'OPEN'
    )
    SELECT count(*) FROM ended
"""


def fill(outcomes: Sequence[Outcome]) -> None:
    """Record what every order of a tick's batches got; part of the caller's transaction.

    An order that got nothing and goes on is not told of: that it waited is what its age says.

    Raises:
        RuntimeError: an order is not its batch's any more, which nothing but a fault can cause.
    """
    orders = sum(len(each.ids) for each in outcomes)
    if not orders:
        return
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
        with cursor.copy("COPY batches_ending FROM STDIN (FORMAT BINARY)") as copy:
            for data in copying.rows(_columns(outcomes)):
                copy.write(data)
        cursor.execute(
            _FILL,
            {
                "batches": arrays.literal(each.batch.id for each in outcomes),
                "numbers": arrays.literal(each.batch.number for each in outcomes),
                "markets": arrays.literal(json.dumps(each.batch.market.name) for each in outcomes),
                "statuses": arrays.literal(ending.name for ending in Ending),
                "kind": BatchOrder.EVENT_KIND,
                "following": list(ORDER.table["OPEN"]),
            },
        )
        (recorded,) = cursor.fetchone()
    if recorded != orders:
        raise RuntimeError(f"{orders - recorded} orders are not in their batches any more")


def _columns(outcomes: Sequence[Outcome]) -> list[copying.Column]:
    """Sorted by id, as the orders lie on the disk."""
    places = np.repeat(np.arange(1, len(outcomes) + 1), [len(each.ids) for each in outcomes])
    numbers = [
        [each.endings for each in outcomes],
        [each.result.lots for each in outcomes],
        [each.result.quotes for each in outcomes],
        [each.result.fees for each in outcomes],
        [each.result.surplus for each in outcomes],
        [each.remaining for each in outcomes],
        [each.ages for each in outcomes],
    ]
    ids = copying.uuids(np.concatenate([each.ids for each in outcomes]))
    high, low = ids.values.view(">u8").reshape(-1, 2).T
    return copying.taken(
        [
            copying.bigints(places),
            ids,
            *(copying.bigints(np.concatenate(column)) for column in numbers),
            copying.numerics(np.concatenate([each.escrow_left for each in outcomes])),
        ],
        np.lexsort((low, high)),
    )
