"""What a fresh clone is set up from."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.home import REPOSITORY

LEVELS = ("base", "production", "sandbox", "dev")
PIN = re.compile(r"([a-z0-9.-]+)==[^\s;*]+(; .+)?")


def pins(level: str) -> list[str]:
    return (REPOSITORY / "requirements" / f"{level}.txt").read_text().splitlines()


def names(level: str) -> set[str]:
    return {line.split("==")[0] for line in pins(level) if not line.startswith("-r")}


@pytest.mark.parametrize("level", LEVELS)
def test_every_requirement_is_pinned(level: str) -> None:
    below = LEVELS.index(level) - 1
    lines = pins(level)
    if below >= 0:
        assert lines.pop(0) == f"-r {LEVELS[below]}.txt"
    assert lines
    assert [line for line in lines if not PIN.fullmatch(line)] == []


def test_no_requirement_is_pinned_twice() -> None:
    everything = [name for level in LEVELS for name in names(level)]
    assert len(everything) == len(set(everything))


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_asked_for_is_pinned_at_its_level_or_below(level: str) -> None:
    text = (REPOSITORY / "requirements" / f"{level}.in").read_text()
    asked = re.findall(r"^([a-z0-9-]+)", text, re.MULTILINE)
    pinned = {name for at in LEVELS[: LEVELS.index(level) + 1] for name in names(at)}
    assert set(asked) <= pinned


def test_lock_files_name_no_registry() -> None:
    lock = json.loads((REPOSITORY / "package-lock.json").read_text())
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    for level in LEVELS:
        assert "://" not in "".join(pins(level))


def test_a_python_that_is_new_enough_is_found(tmp_path: Path) -> None:
    """Names are tried, not trusted: pyenv has shims for versions that are not selected."""
    (tmp_path / "python3.12").write_text("#!/bin/sh\nexit 127\n")
    (tmp_path / "python3").symlink_to(sys.executable)
    (tmp_path / "python3.12").chmod(0o755)
    assert find_python(tmp_path) == (0, "python3\n", "")


def test_without_a_python_the_message_says_what_is_needed(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    status, output, errors = find_python(tmp_path)
    assert (status, output) == (1, "")
    assert "Python 3.11 or later is needed" in errors


def find_python(path: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        ["/bin/sh", "scripts/find-python"],
        cwd=REPOSITORY,
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_example_environment_names_every_setting_and_nothing_else() -> None:
    settings = "".join(
        path.read_text() for path in (REPOSITORY / "fairlane" / "settings").glob("*.py")
    )
    read = set(re.findall(r"\benv\.[a-z_]+\(\s*\"([A-Z_]+)\"", settings))
    example = (REPOSITORY / ".env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    assert named == read | {"DJANGO_SETTINGS_MODULE"}


def test_commented_defaults_of_the_example_are_the_settings() -> None:
    settings = (REPOSITORY / "fairlane" / "settings" / "base.py").read_text()
    defaults = dict(
        re.findall(r"env\.(?:integer|rate|choice)\(\s*\"([A-Z_]+)\", \"?([\w/]+)\"?", settings)
    )
    example = (REPOSITORY / ".env.example").read_text()
    shown = dict(re.findall(r"^#([A-Z_]+)=(.+)$", example, re.MULTILINE))
    assert {name: shown.get(name) for name in defaults} == {
        name: default.replace("_", "") for name, default in defaults.items()
    }
