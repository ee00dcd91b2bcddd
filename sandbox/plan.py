"""Where everything of one sandbox run listens, and the environment that tells Fairlane."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sandbox.errors import SandboxError
from sandbox.home import HOME, Home
from sandbox.ports import HOST, is_free, preferred_port
from sandbox.world import MAKERS, World, write_world

DEFAULT_PORT = 8000
HIGHEST_PORT = 65_000
HANDED_DOWN = "SANDBOX_PLAN"


@dataclass(frozen=True)
class Ports:
    """The web port and, following it where they are free, those of all others."""

    web: int
    postgres: int
    redis: int
    solana: int
    makers: Mapping[str, int]


def choose_ports(environment: Mapping[str, str]) -> Ports:
    """
    Raises:
        SandboxError: PORT is no port, or the web port is taken.
    """
    web = _web_port(environment)
    if not is_free(web):
        raise SandboxError(
            f"Port {web} is taken by another program. Stop that, or choose another port: "
            f"PORT={web + 100} make run"
        )
    solana = preferred_port(web + 3, adjacent=2)
    return Ports(
        web=web,
        postgres=preferred_port(web + 1),
        redis=preferred_port(web + 2),
        solana=solana,
        makers={name: preferred_port(web + 5 + at) for at, name in enumerate(MAKERS)},
    )


def _web_port(environment: Mapping[str, str]) -> int:
    text = environment.get("PORT") or str(DEFAULT_PORT)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= HIGHEST_PORT):
        raise SandboxError(f"PORT must be a number from 1 to {HIGHEST_PORT}, not {text!r}.")
    return int(text)


@dataclass(frozen=True)
class Plan:
    """One run of the sandbox.

    `started` names the databases this sandbox started, as opposed to those it was given.
    """

    ports: Ports
    world: World
    database_url: str
    redis_url: str
    secret_key: str
    started: tuple[str, ...]
    home: Home = HOME

    @classmethod
    def handed_down(cls, environment: Mapping[str, str]) -> "Plan":
        """The plan of the sandbox this process was started by."""
        handed = json.loads(environment[HANDED_DOWN])
        return cls(
            ports=Ports(**handed["ports"]),
            world=write_world(HOME.directory),
            database_url=environment["DATABASE_URL"],
            redis_url=environment["REDIS_URL"],
            secret_key=environment["SECRET_KEY"],
            started=tuple(handed["started"]),
        )

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.ports.web}"

    @property
    def services(self) -> dict[str, str]:
        """name → URL."""
        solana = self.ports.solana
        return {
            "web": self.base_url,
            "postgres": self.database_url,
            "redis": self.redis_url,
            "solana": f"http://{HOST}:{solana}",
            "solana-websocket": f"ws://{HOST}:{solana + 1}",
            **{f"maker-{name}": url for name, url in self.makers.items()},
        }

    @property
    def makers(self) -> dict[str, str]:
        return {name: f"http://{HOST}:{port}" for name, port in self.ports.makers.items()}

    @property
    def settings(self) -> dict[str, str]:
        """Fairlane's settings; what the caller's own environment sets beyond them holds too."""
        return {
            "DJANGO_SETTINGS_MODULE": "fairlane.settings.sandbox",
            "SECRET_KEY": self.secret_key,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "PUBLIC_URL": self.base_url,
            "SOLANA_RPC_URL": self.services["solana"],
            "RFQ_MAKERS": ",".join(f"{name}={url}" for name, url in self.makers.items()),
            "WALLET_KEYS_DIR": str(self.world.trader_keys.resolve()),
            "PROMETHEUS_MULTIPROC_DIR": str(self.home.metrics.resolve()),
        }

    @property
    def environment(self) -> dict[str, str]:
        """What the processes get: the caller's environment, the settings, and this plan."""
        handed = json.dumps({"ports": asdict(self.ports), "started": self.started})
        return os.environ | self.settings | {HANDED_DOWN: handed, "PYTHONUNBUFFERED": "1"}
