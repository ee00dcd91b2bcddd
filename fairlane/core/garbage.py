"""Garbage collection, for processes that make many short-lived objects at once."""

import gc

# New objects before a collection. A stage makes some ten thousand for a set of orders, and nearly
# all of them go by their reference counts; the default of 700 would look for cycles among them
# over and over.
THRESHOLD = 50_000


def settle() -> None:
    """Call once a process has started: what is there by then stays, so it is never looked at."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(THRESHOLD)
