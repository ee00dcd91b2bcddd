import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from fairlane.core.rates import Rate
from fairlane.settings.env import Environment

SAFE = {
    "SECRET_KEY": "q8Zr2xVt7LmWc4Ny9Bd1Kf6Hs3Pj5Gu0AeTiXoRvMbQwEzSkDn",
    "ALLOWED_HOSTS": "fairlane.example",
    "DATABASE_URL": "postgresql://fairlane:pw@db/fairlane",
    "REDIS_URL": "redis://redis:6379/0",
    "SOLANA_RPC_URL": "https://rpc.example",
    "RFQ_MAKERS": "raydium=https://maker.example",
}


def start_production(**environment: str) -> str:
    """What a process says that starts with these variables and nothing else."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name == "PATH" or name.startswith("COVERAGE")
    }
    result = subprocess.run(
        [sys.executable, "-c", "import fairlane.settings.production"],
        env=inherited | environment,
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stderr


@pytest.fixture
def keys_dir(tmp_path: Path) -> str:
    folder = tmp_path / "wallets"
    folder.mkdir(mode=0o700)
    return str(folder)


def test_every_problem_is_reported_at_once() -> None:
    env = Environment({"COUNT": "many", "HOME_URL": "ftp://x", "SIZE": "99"})
    env.text("MISSING")
    env.integer("COUNT", 1, least=0, most=5)
    env.integer("SIZE", 1, least=0, most=5)
    env.url("HOME_URL", "http")
    with pytest.raises(ImproperlyConfigured) as caught:
        env.finish()
    message = str(caught.value)
    assert [name in message for name in ("MISSING", "COUNT", "SIZE", "HOME_URL")] == [True] * 4


@pytest.mark.parametrize(
    "value",
    ["raydium", "=http://h", "a=http://h,a=http://i", "a=ftp://h", "a=http://"],
)
def test_what_does_not_name_urls_is_refused(value: str) -> None:
    env = Environment({"MAKERS": value})
    assert env.urls("MAKERS", "http") == {}
    assert [problem.split(":")[0] for problem in env.problems] == ["MAKERS"]


def test_a_word_that_is_no_choice_and_a_flag_that_is_neither_are_refused() -> None:
    env = Environment({"STYLE": "xml", "ON": "maybe", "OFF": "no", "STORE": "mysql://h/d"})
    env.choice("STYLE", "json", ("json", "console"))
    assert env.flag("OFF", default=True) is False
    env.flag("ON", default=True)
    env.database("STORE")
    assert [problem.split()[0].strip(":") for problem in env.problems] == ["STYLE", "ON", "STORE"]


def test_values_are_typed() -> None:
    env = Environment({"A": "yes", "B": "7", "C": "x, y", "D": "a=http://h:1,b=http://h:2"})
    assert env.flag("A", default=False) is True
    assert env.integer("B", 1, least=0, most=9) == 7
    assert env.words("C") == ["x", "y"]
    assert env.urls("D", "http") == {"a": "http://h:1", "b": "http://h:2"}
    assert env.rate("E", "5/second") == Rate(5, 1_000)
    env.finish()


@pytest.mark.parametrize("text", ["", "0/minute", "5", "5/day", "-1/minute", "many/minute"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"rate|per"):
        Rate.parse(text)


def test_production_starts_with_safe_values(keys_dir: str) -> None:
    assert start_production(**SAFE, WALLET_KEYS_DIR=keys_dir) == ""


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("DEBUG", "1", "DEBUG must be off"),
        ("SECRET_KEY", "short", "50 random characters"),
        ("SECRET_KEY", "django-insecure-" + SAFE["SECRET_KEY"], "published"),
        ("ALLOWED_HOSTS", "*", "without wildcards"),
        ("ALLOWED_HOSTS", "", "must name the public host"),
        ("SOLANA_RPC_URL", "http://rpc.example", "must use https"),
        ("SOLANA_WEBSOCKET_URL", "ws://rpc.example", "must use wss"),
        ("RAIKU_URL", "http://raiku.example", "RAIKU_URL must use https"),
        ("RFQ_MAKERS", "raydium=http://maker.example", "raydium must use https"),
        ("THROTTLE_KEY", "off", "THROTTLE_KEY must not be off"),
        ("WALLET_KEYS_DIR", "/nowhere", "no folder"),
        ("DATABASE_URL", "", "DATABASE_URL is not set"),
        ("ORDERS_LEASE_SECONDS", "10", "above the task time limit"),
    ],
)
def test_production_refuses_an_unsafe_value(
    name: str, value: str, complaint: str, keys_dir: str
) -> None:
    said = start_production(**{**SAFE, "WALLET_KEYS_DIR": keys_dir, name: value})
    assert complaint in said


def test_production_refuses_keys_others_can_read(keys_dir: str) -> None:
    Path(keys_dir).chmod(0o755)
    assert "mode 0700" in start_production(**SAFE, WALLET_KEYS_DIR=keys_dir)
