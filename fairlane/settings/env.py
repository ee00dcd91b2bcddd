"""Typed reading of the environment that finds every problem before it reports any."""

from __future__ import annotations

import os
from collections.abc import Callable, MutableMapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from fairlane.core.rates import Rate

T = TypeVar("T")


class Secret:
    """A value that no log, error or settings page shows."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that needs it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not serialised")


_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Environment:
    """Reads variables; what is missing or malformed is remembered until `finish`."""

    def __init__(self, source: MutableMapping[str, str] = os.environ) -> None:
        self._env = environ.Env()
        self._env.ENVIRON = source
        self.problems: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        """A non-empty string."""
        return self._read(name, default, "", str)

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One of a few words."""
        value = self._read(name, default, default, str)
        self.refuse(value not in choices, f"{name} must be one of {', '.join(choices)}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """A boolean."""

        def parse(value: str) -> bool:
            word = value.strip().lower()
            if word in ("1", "true", "yes", "on"):
                return True
            if word in ("0", "false", "no", "off"):
                return False
            raise ValueError(f"{value!r} is neither true nor false")

        return self._read(name, str(default), default, parse)

    def integer(self, name: str, default: int, *, least: int, most: int) -> int:
        """A whole number within bounds."""

        def parse(value: str) -> int:
            number = int(value)
            if not least <= number <= most:
                raise ValueError(f"{number} is not between {least} and {most}")
            return number

        return self._read(name, str(default), default, parse)

    def words(self, name: str, default: str | None = None) -> list[str]:
        """A comma-separated list."""
        return self._read(
            name, default, [], lambda value: [word.strip() for word in value.split(",") if word]
        )

    def url(self, name: str, *schemes: str, default: str | None = None) -> str:
        """A URL with one of the schemes and a host."""
        return self._read(name, default, "", lambda value: _checked_url(value, schemes))

    def urls(self, name: str, *schemes: str) -> dict[str, str]:
        """Named URLs: `raydium=http://127.0.0.1:9101,meteora=http://127.0.0.1:9102`."""

        def parse(value: str) -> dict[str, str]:
            pairs = [pair.strip().partition("=") for pair in value.split(",")]
            if any(not key or not url for key, _, url in pairs):
                raise ValueError("it must read name=url,name=url")
            if len({key for key, _, _ in pairs}) < len(pairs):
                raise ValueError("a name occurs twice")
            return {key: _checked_url(url, schemes) for key, _, url in pairs}

        return self._read(name, None, {}, parse)

    def database(self, name: str) -> dict[str, Any]:
        """Django's description of the PostgreSQL server a URL names."""
        if self._read(name, None, "", lambda value: _checked_scheme(value, "postgres")):
            return dict(self._env.db_url(name))
        return {}

    def folder(self, name: str) -> Path:
        """An absolute path; whether it exists is for the caller to say."""
        return self._read(name, None, Path("/nonexistent"), lambda value: Path(value).resolve())

    def optional_folder(self, name: str) -> Path | None:
        """An absolute path; None where it is not set."""
        path = self.text(name, default="")
        return Path(path).resolve() if path else None

    def secret(self, name: str, default: str | None = None) -> Secret:
        """A value from the variable, or from the file that ``NAME_FILE`` names."""
        path = self._env.str(f"{name}_FILE", default="").strip()
        if not path:
            return Secret(self.text(name, default))
        try:
            found = Secret(Path(path).read_text().strip())
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{name}_FILE: cannot be read ({type(error).__name__})")
            return Secret("")
        self.refuse(not found, f"{name}_FILE: it is empty")
        return found

    def rate(self, name: str, default: str) -> Rate | None:
        """A rate such as 600/minute, or None for off."""
        return self._read(name, default, None, Rate.parse)

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        """Networks as 10.0.0.0/8, separated by commas; none by default."""

        def parse(value: str) -> list[IPv4Network | IPv6Network]:
            return [ip_network(word.strip()) for word in value.split(",") if word.strip()]

        return self._read(name, "", [], parse)

    def refuse(self, condition: bool, problem: str) -> None:
        """Remember a problem when the condition holds."""
        if condition:
            self.problems.append(problem)

    def finish(self) -> None:
        """Stop the start when anything was wrong.

        Raises:
            ImproperlyConfigured: names every problem, one a line.
        """
        if self.problems:
            lines = "\n".join(f"  - {problem}" for problem in self.problems)
            raise ImproperlyConfigured(f"the environment has problems:\n{lines}")

    def _read(self, name: str, default: str | None, instead: T, parse: Callable[[str], T]) -> T:
        """The parsed value, or `instead` with the problem remembered."""
        value = self._env.str(name, default=default or "").strip()
        if not value:
            if default is None:
                self.problems.append(f"{name} is not set")
                return instead
            return parse(default) if default else instead
        try:
            return parse(value)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return instead


def is_plain_remote(url: str) -> bool:
    """Whether the URL sends its traffic unencrypted to another machine."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "ws") and parts.hostname not in _LOOPBACK


def _checked_url(value: str, schemes: tuple[str, ...]) -> str:
    parts = urlsplit(value)
    if parts.scheme not in schemes:
        raise ValueError(f"the scheme must be {' or '.join(schemes)}, not {parts.scheme!r}")
    if not parts.hostname:
        raise ValueError("it names no host")
    return value.rstrip("/")


def _checked_scheme(value: str, scheme: str) -> str:
    if not urlsplit(value).scheme.startswith(scheme):
        raise ValueError(f"it must be a {scheme}:// URL")
    return value
