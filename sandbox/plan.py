"""Where everything of one sandbox run listens, and the environment that tells Fairlane."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sandbox.errors import SandboxError
from sandbox.evm import CHAINS, PROVIDERS, RELAYERS, provider_url
from sandbox.home import HOME, Home
from sandbox.kms import kms_environment
from sandbox.kuro import kuro_environment
from sandbox.ports import HOST, is_free, preferred_port
from sandbox.raiku import raiku_environment
from sandbox.world import MAKERS, World, write_world

DEFAULT_PORT = 8000
HIGHEST_PORT = 65_000
HANDED_DOWN = "SANDBOX_PLAN"
# Blocks come every second and are hardly ever replaced: nobody watching wants to wait for twelve.
CONFIRMATIONS = 3
# What the seller of block space knows Fairlane by.
RAIKU_CUSTOMER = "sandbox"


@dataclass(frozen=True)
class Ports:
    """The web port and, following it where they are free, those of all others.

    Without `evm`, `kms` and `kuro`, the run is one without the stablecoin; without `raiku`, one
    without fair batches.
    """

    web: int
    postgres: int
    redis: int
    solana: int
    makers: Mapping[str, int]
    evm: int | None = None
    kms: int | None = None
    kuro: int | None = None
    raiku: int | None = None


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
        evm=preferred_port(web + 7),
        kms=preferred_port(web + 8),
        kuro=preferred_port(web + 9),
        raiku=preferred_port(web + 10),
    )


def _web_port(environment: Mapping[str, str]) -> int:
    text = environment.get("PORT") or str(DEFAULT_PORT)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= HIGHEST_PORT):
        raise SandboxError(f"PORT must be a number from 1 to {HIGHEST_PORT}, not {text!r}.")
    return int(text)


@dataclass(frozen=True)
class Plan:
    """One run of the sandbox.

    `started` names what this sandbox started beside the fleet, as opposed to what it was given.
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
            **self._stablecoin_services,
            **self._batch_services,
        }

    @property
    def batches(self) -> bool:
        """Whether fair batches run."""
        return self.ports.raiku is not None

    @property
    def chains(self) -> tuple[int, ...]:
        """The ids of the EVM chains that run."""
        return CHAINS if self.ports.evm else ()

    @property
    def _stablecoin_services(self) -> dict[str, str]:
        if not self.chains:
            return {}
        evm = f"http://{HOST}:{self.ports.evm}"
        kuro = kuro_environment(f"http://{HOST}:{self.ports.kuro}")
        return {
            "evm": evm,
            **{f"evm-{chain}": provider_url(evm, chain) for chain in self.chains},
            "kms": f"http://{HOST}:{self.ports.kms}",
            "kuro-websocket": kuro["KURO_WEBSOCKET_URL"],
            "kuro-rest": kuro["KURO_REST_URL"],
        }

    @property
    def _batch_services(self) -> dict[str, str]:
        return {"raiku": f"http://{HOST}:{self.ports.raiku}"} if self.batches else {}

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
            "SOLANA_WEBSOCKET_URL": self.services["solana-websocket"],
            "RFQ_MAKERS": ",".join(f"{name}={url}" for name, url in self.makers.items()),
            "WALLET_KEYS_DIR": str(self.world.trader_keys.resolve()),
            "PROMETHEUS_MULTIPROC_DIR": str(self.home.metrics.resolve()),
            **self._stablecoin_settings,
            **self._batch_settings,
        }

    @property
    def _stablecoin_settings(self) -> dict[str, str]:
        if not self.chains:
            return {"STABLECOIN_CHAINS": "none"}
        services = self.services
        settings = {
            "STABLECOIN_CHAINS": ",".join(map(str, self.chains)),
            "STABLECOIN_CONFIRMATIONS": str(CONFIRMATIONS),
            "KURO_WEBSOCKET_URL": services["kuro-websocket"],
            "KURO_REST_URL": services["kuro-rest"],
            **kms_environment(services["kms"]),
        }
        for chain in self.chains:
            urls = [provider_url(services["evm"], chain, node) for node in PROVIDERS]
            settings[f"KADENA_EVM_CHAIN_{chain}_RPC"] = ",".join(urls)
            settings[f"RELAYER_PRIVATE_KEY_{chain}"] = RELAYERS[chain].key
        return settings

    @property
    def _batch_settings(self) -> dict[str, str]:
        if not self.batches:
            return {"BATCHES_KEYS_DIR": ""}
        keys = self.world.coordinator_keys.resolve()
        raiku = raiku_environment(self.services["raiku"], token=RAIKU_CUSTOMER)
        return {"BATCHES_KEYS_DIR": str(keys), **raiku}

    @property
    def environment(self) -> dict[str, str]:
        """What the processes get: the caller's environment, the settings, and this plan."""
        handed = json.dumps({"ports": asdict(self.ports), "started": self.started})
        return os.environ | self.settings | {HANDED_DOWN: handed, "PYTHONUNBUFFERED": "1"}
