"""The supervised processes: one that ends stops all, and none is ever orphaned."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.home import REPOSITORY
from sandbox.tests.conftest import is_running, wait_for

# Runs the services given as JSON under the real manager; prints what ended first.
RUN = """
import json, multiprocessing, sys
from pathlib import Path
from sandbox.fleet import Service
from sandbox.home import Home
from sandbox.manager import Manager
from sandbox.plan import Plan, Ports
from sandbox.world import World
multiprocessing.set_start_method("fork")
folder = Path(sys.argv[1])
home = Home(folder)
home.logs.mkdir(exist_ok=True)
world = World(folder, {}, {}, None, None, None)
plan = Plan(ports=Ports(1, 2, 3, 4, {}), world=world, database_url="", redis_url="",
            secret_key="", started=(), home=home)
manager = Manager(plan, [Service(name, cmd) for name, cmd in json.loads(sys.argv[2]).items()])
manager.loop()
print(json.dumps(manager.ended_first))
"""
# A leader with a child in its group, as a Celery worker has; both write their pids.
GROUP = """
import os, signal, sys, time
from pathlib import Path
folder = Path(sys.argv[1])
child = os.fork()
if child == 0:
    signal.signal(signal.SIGTERM, lambda *_: (folder / "child-terminated").touch())
    time.sleep(600)
def end(*_):
    os._exit(0)
signal.signal(signal.SIGTERM, end)
(folder / "pids.partial").write_text(f"{os.getpid()} {child}")
(folder / "pids.partial").rename(folder / "pids")
while True:
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def run(folder: Path, services: dict[str, list[str]]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", RUN, str(folder), json.dumps(services)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


def group(folder: Path) -> list[str]:
    return [sys.executable, "-c", GROUP, str(folder)]


def pids(folder: Path) -> tuple[int, int]:
    wait_for((folder / "pids").exists, "the group's start")
    leader, child = (folder / "pids").read_text().split()
    return int(leader), int(child)


def test_the_end_of_one_process_stops_all_and_is_named(folder: Path) -> None:
    ending = [sys.executable, "-c", "import sys; print('out of luck'); sys.exit(3)"]
    manager = run(folder, {"ending": ending, "staying": group(folder)})
    output, _ = manager.communicate(timeout=30)
    assert json.loads(output.splitlines()[-1]) == [["ending", 3]]
    assert (folder / "logs" / "ending.log").read_text() == "out of luck\n"


def test_a_signal_stops_all_and_blames_none(folder: Path) -> None:
    manager = run(folder, {"staying": group(folder)})
    leader, child = pids(folder)
    manager.send_signal(signal.SIGINT)
    output, _ = manager.communicate(timeout=30)
    assert json.loads(output.splitlines()[-1]) == []
    assert not is_running(leader)
    assert not is_running(child)


def test_only_the_leader_is_asked_to_stop(folder: Path) -> None:
    manager = run(folder, {"staying": group(folder)})
    pids(folder)
    manager.terminate()
    manager.communicate(timeout=30)
    assert not (folder / "child-terminated").exists()


def test_a_killed_leader_is_noticed_and_leaves_no_child(folder: Path) -> None:
    manager = run(folder, {"staying": group(folder)})
    leader, child = pids(folder)
    os.kill(leader, signal.SIGKILL)
    output, _ = manager.communicate(timeout=30)
    assert json.loads(output.splitlines()[-1]) == [["staying", -9]]
    wait_for(lambda: not is_running(child), "the child's end")


def test_a_killed_supervisor_takes_all_processes_along(folder: Path) -> None:
    manager = run(folder, {"staying": [sys.executable, "-c", "import time; time.sleep(600)"]})
    wait_for((folder / "logs" / "system.log").exists, "the start")
    wait_for(lambda: "started (pid=" in (folder / "logs" / "system.log").read_text(), "the process")
    text = (folder / "logs" / "system.log").read_text()
    pid = int(text.split("pid=")[1].split(")")[0])
    manager.kill()
    manager.communicate()
    wait_for(lambda: not is_running(pid), "the process's end")
