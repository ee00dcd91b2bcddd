"""Free TCP ports on the loopback interface."""

import random
import socket

from sandbox.errors import SandboxError

HOST = "127.0.0.1"
# Below Linux's ephemeral range (32768 and up), so that no outgoing connection takes a port
# between the moment it is found and the moment its server binds it.
LOWEST, HIGHEST = 20_000, 32_000


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(*, adjacent: int = 1) -> int:
    """The first of `adjacent` neighbouring free ports, picked at random.

    Raises:
        SandboxError: a thousand tries found none.
    """
    for _ in range(1000):
        port = random.randrange(LOWEST, HIGHEST)
        if all(is_free(port + offset) for offset in range(adjacent)):
            return port
    raise SandboxError(
        f"No free port between {LOWEST} and {HIGHEST}: is something taking them all?"
    )


def preferred_port(port: int, *, adjacent: int = 1) -> int:
    """`port` if it and its neighbours are free, else other free ones."""
    if all(is_free(port + offset) for offset in range(adjacent)):
        return port
    return free_port(adjacent=adjacent)
