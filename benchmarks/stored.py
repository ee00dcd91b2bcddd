"""Whether a mint costs the same however many requests are stored."""

from collections.abc import Sequence

import psycopg

from benchmarks.mints import mint
from benchmarks.report import Figure, Section
from benchmarks.stack import Stack

# Copies of a mint that has ended, with everything that is kept of one. Their events have positions
# before all others, so that the relay has nothing to do with them.
_STORE = (
    """
    CREATE TEMPORARY TABLE copies AS
    SELECT gen_random_uuid() AS id, number, original.id AS original
    FROM generate_series(%s::int, %s::int) AS number, (
        SELECT id FROM stablecoin_request WHERE kind = 'mint' AND status = 'COMPLETED' LIMIT 1
    ) AS original
    """,
    """
    INSERT INTO stablecoin_request (id, kind, chain_id, request_id, wallet, amount, reference,
        source, created_by, status, seq, tries, admitted_on, rule, failure_kind, failure_reason,
        transaction_hash, block_number, lock_hash, created_at, updated_at)
    SELECT c.id, kind, chain_id, 'stored-' || number, wallet, amount, reference, source, 'stored',
        status, seq, tries, admitted_on, rule, failure_kind, failure_reason, transaction_hash,
        block_number, lock_hash, created_at - interval '1 day', updated_at - interval '1 day'
    FROM copies c JOIN stablecoin_request r ON r.id = c.original
    """,
    """
    INSERT INTO core_event (kind, object_id, seq, status, wallet, data, position, created_at)
    SELECT kind, c.id, seq, status, wallet, data, -100 * number - seq,
        created_at - interval '1 day'
    FROM copies c JOIN core_event e ON e.object_id = c.original
    """,
    """
    INSERT INTO stablecoin_approval (request_id, number, state, nonce, deadline, digest, signature,
        created_at)
    SELECT c.id, a.number, state, nonce, deadline, digest, signature, created_at
    FROM copies c JOIN stablecoin_approval a ON a.request_id = c.original
    """,
    """
    WITH made AS (
        INSERT INTO stablecoin_transaction (relayer_id, nonce, request_id, state, gas, wish,
            mined_hash, block_number, block_hash, succeeded, gas_used, gas_price, error, created_at)
        SELECT relayer_id, -c.number, c.id, state, gas, wish, mined_hash, block_number, block_hash,
            succeeded, gas_used, gas_price, error, created_at
        FROM copies c JOIN stablecoin_transaction t ON t.request_id = c.original
        RETURNING id
    )
    INSERT INTO stablecoin_attempt (transaction_id, number, hash, raw, max_fee, priority_fee,
        cancels, sent_at, answer, created_at)
    SELECT made.id, 1, '0x' || lpad(to_hex(made.id), 64, '0'), raw, max_fee, priority_fee, cancels,
        sent_at, answer, created_at
    FROM made, (SELECT * FROM stablecoin_attempt LIMIT 1) AS attempt
    """,
    "DROP TABLE copies",
)


def measure(stack: Stack, *, stored: Sequence[int], count: int) -> Section:
    """The same `count` mints beside more and more stored ones."""
    figures: list[Figure] = []
    kept = 0
    with stack.database() as connection:
        for number in stored:
            _store(connection, kept + 1, number)
            kept = number
            done = mint(stack, stack.plan.chains, count)
            name = f"{count:,} mints beside {number:,} stored ones"
            first = figures[0].value if figures else done.cpu_ms
            figures += [
                Figure(f"{name}: CPU", done.cpu_ms, "ms per mint", 1.25 * first, "less"),
                Figure(f"{name}: rate", done.rate, "mints/s"),
            ]
    return Section(
        "Cost per mint beside stored requests",
        "The cost of a mint stays flat: at most a quarter above that beside the fewest.",
        figures,
    )


def _store(connection: psycopg.Connection, first: int, last: int) -> None:
    for statement in _STORE:
        connection.execute(statement, [first, last] if "%s" in statement else None)
    connection.execute("ANALYZE")
