"""The real PostgreSQL and Redis: started, crashed, and never orphaned."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from sandbox.errors import SandboxError
from sandbox.home import REPOSITORY
from sandbox.parts import Part, start_postgres, start_redis
from sandbox.tests.conftest import is_running, wait_for

OWNER = """
import json, sys, time
from pathlib import Path
from sandbox.parts import Part, start_postgres, start_redis
folder = Path(sys.argv[1])
parts = [start_postgres(folder / "postgres", volatile=True), start_redis(folder / "redis")]
print(json.dumps([part.pid for part in parts]), flush=True)
time.sleep(600)
"""


def test_postgres_keeps_what_was_committed_through_a_crash(tmp_path: Path) -> None:
    server = start_postgres(tmp_path, volatile=True)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    idle = [psycopg.connect(server.url) for _ in range(10)]
    server.kill()

    again = start_postgres(tmp_path, port=server.port, volatile=True)

    assert again.url == server.url
    with psycopg.connect(again.url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
    again.stop()
    assert again.process.returncode == 0
    for connection in idle:
        connection.close()


def test_postgres_wants_its_password_and_is_durable_unless_volatile(tmp_path: Path) -> None:
    server = start_postgres(tmp_path)
    password = (tmp_path / "password").read_text()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url.replace(password, "wrong"))
    with psycopg.connect(server.url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)
    server.stop()


def test_a_port_that_is_taken_is_reported_with_the_log(tmp_path: Path) -> None:
    server = start_redis(tmp_path / "first")
    with pytest.raises(SandboxError, match="redis ended with status 1") as caught:
        start_redis(tmp_path / "second", port=server.port)
    assert str(server.port) in str(caught.value)
    server.stop()


def test_redis_wants_its_password(tmp_path: Path) -> None:
    server = start_redis(tmp_path)
    with redis.Redis(port=server.port) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    server.stop()
    assert server.process.returncode == 0


def test_parts_end_with_an_owner_that_is_killed(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], cwd=REPOSITORY, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    pids = json.loads(owner.stdout.readline())
    assert all(is_running(pid) for pid in pids)

    owner.kill()
    owner.communicate()

    for pid in pids:
        wait_for(lambda pid=pid: not is_running(pid), f"the end of {pid}")  # type: ignore[misc]


@pytest.mark.parametrize(
    ("start", "setting"), [(start_postgres, "DATABASE_URL"), (start_redis, "REDIS_URL")]
)
def test_a_missing_wheel_is_explained_with_a_way_out(
    start: Callable[[Path], Part], setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None if name == "redis-server" else name)
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    with pytest.raises(SandboxError, match=f"set {setting}|Set {setting}"):
        start(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for PostgreSQL")
def test_root_starts_postgres_in_a_folder_nobody_else_can_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = start_postgres(closed / "postgres", volatile=True)
    assert Path(f"/proc/{server.pid}").stat().st_uid != 0
    assert closed.stat().st_mode & 0o777 == 0o700
    server.stop()
