"""What tests and benchmarks start: real parts, each a handle with `url`, `log` and `stop()`.

A part ends with the thread that started it: start parts in the main thread.
"""

from sandbox.chain import INSTANT, start_maker, start_node
from sandbox.postgres import start_postgres
from sandbox.processes import Part
from sandbox.redis import start_redis
from sandbox.world import World, write_world

__all__ = [
    "INSTANT",
    "Part",
    "World",
    "start_maker",
    "start_node",
    "start_postgres",
    "start_redis",
    "write_world",
]
