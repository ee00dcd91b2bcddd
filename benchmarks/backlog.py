"""Whether an order costs the same however many others are open."""

from collections.abc import Sequence

from benchmarks.floors import Floors
from benchmarks.flow import flow
from benchmarks.report import Figure, Section
from benchmarks.stack import Stack

# Copies of orders that have ended, as open ones whose work is due in an hour: rows like any other
# in every table and index that stages look into.
_PARK = """
    WITH parked AS (
        INSERT INTO orders_order (id, created_by, wallet, type, input_token_id, output_token_id,
            input_amount, slippage_bps, status, seq, tries, venue, signature, failure_kind,
            failure_reason, created_at, queued_at, updated_at)
        SELECT gen_random_uuid(), 'parked', wallet, type, input_token_id, output_token_id,
            input_amount, slippage_bps, 'PENDING', 1, 0, '', '', '', '', now(), now(), now()
        FROM orders_order WHERE created_by <> 'parked' LIMIT %s
        RETURNING id
    )
    INSERT INTO core_work (object_id, stage, due_at)
    SELECT id, 'orders.route', now() + interval '1 hour' FROM parked
"""
_UNPARK = """
    WITH parked AS (DELETE FROM orders_order WHERE created_by = 'parked' RETURNING id)
    DELETE FROM core_work USING parked WHERE object_id = parked.id
"""


def measure(stack: Stack, floors: Floors, *, open_orders: Sequence[int], count: int) -> Section:
    """The same `count` orders beside more and more open ones; all `open_orders` are due later."""
    figures: list[Figure] = []
    parked = 0
    with stack.database() as connection:
        for number in open_orders:
            while parked < number:
                parked += connection.execute(_PARK, [number - parked]).rowcount
            done = flow(stack, count)
            name = f"{count:,} orders beside {number:,} open ones"
            first = figures[0].value if figures else done.cpu_us
            figures += [
                Figure(f"{name}: CPU", done.cpu_us, "µs per order", 1.25 * first, "less"),
                Figure(f"{name}: rate", done.rate, "orders/s"),
            ]
        connection.execute(_UNPARK)
    return Section(
        "Cost per order beside open orders",
        "The cost of an order stays flat: at most a quarter above that beside the fewest.",
        figures,
    )
