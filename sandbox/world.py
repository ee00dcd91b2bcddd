"""The people and money of the sandbox: wallets, makers, and the chain's first accounts."""

import json
from dataclasses import dataclass
from pathlib import Path

from solders.keypair import Keypair

from sandbox.genesis import LAMPORTS_PER_SOL, genesis_accounts
from sandbox.keys import ensure_keypair, write_private
from sandbox.tokens import TOKENS

MAKERS = ("raydium", "meteora")
TRADERS = 10
# A transaction of two signatures costs 10,000 lamports, so this pays for 100 million.
TRADER_LAMPORTS = 1_000 * LAMPORTS_PER_SOL
MAKER_LAMPORTS = 1_000 * LAMPORTS_PER_SOL
# Of every token, so that demo traffic in both directions never meets an empty account.
TRADER_USD = 1_000_000
MAKER_USD = 1_000_000_000


@dataclass(frozen=True)
class World:
    """Where the world's files are, and who is in it."""

    directory: Path
    traders: dict[str, Keypair]
    makers: dict[str, Keypair]
    mint_authority: Keypair
    coordinator: Keypair
    receipts: Keypair

    @property
    def trader_keys(self) -> Path:
        """The folder for WALLET_KEYS_DIR."""
        return self.directory / "wallets" / "traders"

    def maker_key(self, name: str) -> Path:
        return self.directory / "wallets" / "makers" / f"{name}.json"

    @property
    def treasury_key(self) -> Path:
        """The key file of the wallet that funds the markets' pools: a maker has of everything."""
        return self.maker_key(MAKERS[0])

    @property
    def coordinator_keys(self) -> Path:
        """The folder for BATCHES_KEYS_DIR."""
        return self.directory / "wallets" / "coordinator"

    @property
    def genesis(self) -> Path:
        return self.directory / "genesis.json"

    @property
    def markets(self) -> Path:
        """What the makers quote: each token with its reference price in US dollars."""
        return self.directory / "markets.json"

    @property
    def tokens(self) -> Path:
        """The token registry's first rows, for `manage.py sync_tokens`."""
        return self.directory / "tokens.json"

    @property
    def addresses(self) -> dict[str, str]:
        """name → address of every wallet that orders may name."""
        return {name: str(key.pubkey()) for name, key in self.traders.items()}


def write_world(directory: Path, *, traders: int = TRADERS) -> World:
    """Create what is absent of the world under `directory`; keys and genesis stay as they are.

    The coordinator is not in the genesis, so that worlds from before it are no different:
    sandbox.coordinator gives it what it needs.
    """
    wallets = directory / "wallets"
    kinds = (wallets / kind for kind in ("traders", "makers", "coordinator"))
    for folder in (directory, wallets, *kinds):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    names = [f"trader-{number:02}" for number in range(1, traders + 1)]
    world = World(
        directory=directory,
        traders={name: ensure_keypair(wallets / "traders" / f"{name}.json") for name in names},
        makers={name: ensure_keypair(wallets / "makers" / f"{name}.json") for name in MAKERS},
        mint_authority=ensure_keypair(wallets / "mint-authority.json"),
        coordinator=ensure_keypair(wallets / "coordinator" / "coordinator.json"),
        receipts=ensure_keypair(wallets / "coordinator" / "receipts.json"),
    )
    if not world.genesis.exists():
        write_private(world.genesis, json.dumps(_genesis(world)))
    write_private(world.markets, json.dumps(_markets(), indent=1))
    write_private(world.tokens, json.dumps(_tokens(), indent=1))
    return world


def _genesis(world: World) -> dict[str, object]:
    traders = [key.pubkey() for key in world.traders.values()]
    makers = [key.pubkey() for key in world.makers.values()]
    purse = {token.symbol: token.worth(TRADER_USD) for token in TOKENS}
    vault = {token.symbol: token.worth(MAKER_USD) for token in TOKENS}
    accounts = genesis_accounts(
        lamports=dict.fromkeys(traders, TRADER_LAMPORTS)
        | dict.fromkeys([*makers, world.mint_authority.pubkey()], MAKER_LAMPORTS),
        holdings=dict.fromkeys(traders, purse) | dict.fromkeys(makers, vault),
        mint_authority=world.mint_authority.pubkey(),
    )
    return {"accounts": accounts}


def _markets() -> dict[str, object]:
    return {
        "tokens": [
            {
                "symbol": token.symbol,
                "mint": str(token.mint),
                "decimals": token.decimals,
                "token2022": token.token2022,
                "usd": str(token.usd),
            }
            for token in TOKENS
        ]
    }


def _tokens() -> list[dict[str, object]]:
    return [
        {
            "symbol": token.symbol,
            "name": token.name,
            "mint": str(token.mint),
            "decimals": token.decimals,
            "token2022": token.token2022,
        }
        for token in TOKENS
    ]
