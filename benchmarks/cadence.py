"""Whether a tick each second is kept by a whole stack: many markets, each with a full book."""

import json
import subprocess
import sys
import time

from benchmarks.processes import cpu_seconds, memory_mib, since
from benchmarks.report import Figure, Section
from benchmarks.stack import Stack
from sandbox.home import REPOSITORY

# Seconds after which the first ticks of all markets have settled, and of the window's last ones.
WARM_UP, AFTER = 10, 15
# Markets in which somebody trades, each second.
PAIRS = 10

_WINDOW = "SELECT max(number) FROM batches_tick WHERE status IN ('CLEARED', 'SETTLED')"
_FOUND = """
    SELECT b.status, count(*), coalesce(sum(b.orders), 0), coalesce(sum(b.fills), 0)
    FROM batches_batch b JOIN batches_market m ON m.id = b.market_id
    WHERE m.name LIKE 'CROWD-%%' AND b.number > %s AND b.number <= %s GROUP BY b.status
"""
_WHY_NOT = """
    SELECT b.reason, count(*) FROM batches_batch b
    WHERE b.number > %s AND b.number <= %s AND b.reason <> '' GROUP BY b.reason
"""
# From the end of a batch's second to the last of its payouts.
_LATE = """
    SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
        ORDER BY extract(epoch FROM b.updated_at) - b.number - 1)
    FROM batches_batch b JOIN batches_market m ON m.id = b.market_id
    WHERE m.name LIKE 'CROWD-%%' AND b.number > %s AND b.number <= %s AND b.status = 'SETTLED'
"""


def measure(stack: Stack, *, markets: int, orders: int, seconds: int) -> Section:
    """Every market's books are in a batch each second; in some of them somebody trades."""
    crowd = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.crowd"],
        env=stack.plan.environment,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert crowd.stdin and crowd.stdout
    with crowd, stack.database() as connection:
        home = str(stack.plan.home.directory)
        crowd.stdin.write(json.dumps({"home": home, "markets": markets, "orders": orders}) + "\n")
        crowd.stdin.flush()
        resting = int(crowd.stdout.readline())
        time.sleep(WARM_UP)
        ((first,),) = connection.execute(_WINDOW).fetchall()
        before = cpu_seconds(stack.parts)
        crowd.stdin.write(json.dumps({"seconds": seconds, "pairs": PAIRS}) + "\n")
        crowd.stdin.flush()
        time.sleep(seconds)
        spent = since(before, cpu_seconds(stack.parts))
        memory = memory_mib({"worker-batches": stack.parts["worker-batches"]})
        time.sleep(AFTER)
        window = [first, first + seconds]
        found = {row[0]: row[1:] for row in connection.execute(_FOUND, window)}
        why_not = [f"{row[1]} {row[0]}" for row in connection.execute(_WHY_NOT, window)]
        ((late,),) = connection.execute(_LATE, window).fetchall()
    executed = sum(found[status][0] for status in ("CLEARED", "SETTLED") if status in found)
    every = sum(row[0] for row in found.values())
    committed, filled = sum(row[1] for row in found.values()), sum(row[2] for row in found.values())
    total = sum(spent.values())
    return Section(
        "A batch each second in many markets",
        f"{markets:,} markets and {resting:,} orders that stay, {seconds} s, everything running but"
        f" the stablecoin; in {PAIRS} of the markets two orders come and meet each second."
        f" {committed / max(every, 1):,.1f} orders in a batch, {filled:,} fills."
        + "".join(f" Not executed: {reason}." for reason in why_not),
        [
            Figure(
                "batches that executed in their second",
                executed / (markets * seconds),
                "",
                0.99,
                "more",
            ),
            Figure("from the batch's second to its last payout, median", late[0], "s"),
            Figure("from the batch's second to its last payout, 95 %", late[1], "s"),
            Figure("cores in use", total / seconds, ""),
            *(
                Figure(f"{name}: cores", used / seconds, "")
                for name, used in sorted(spent.items(), key=lambda item: -item[1])[:5]
            ),
            Figure("memory of the batches' workers, PSS", memory["worker-batches"][2], "MiB"),
        ],
    )
