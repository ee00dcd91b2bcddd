"""Tokens and wallets as a process knows them: read at most once in a few seconds."""

import threading
import time
from dataclasses import dataclass

from chains.solana.swap import Token as ChainToken
from fairlane.core.threads import in_thread
from orders.models import Token, Wallet

# How late a process learns of a change in the registry.
TTL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token of the registry; see ``orders.models.Token``."""

    mint: str
    symbol: str
    decimals: int
    token2022: bool
    active: bool

    @property
    def on_chain(self) -> ChainToken:
        return ChainToken(self.mint, self.decimals, self.token2022)


@dataclass(frozen=True, slots=True)
class Tokens:
    """All tokens, by mint and by symbol."""

    by_mint: dict[str, TokenInfo]
    by_symbol: dict[str, TokenInfo]

    def find(self, name: str) -> TokenInfo | None:
        """The active token with this symbol (in any case) or mint."""
        token = self.by_mint.get(name) or self.by_symbol.get(name.upper())
        return token if token and token.active else None


@dataclass(frozen=True, slots=True)
class Registry:
    """What orders may name at one moment."""

    tokens: Tokens
    wallets: frozenset[str]


_lock = threading.Lock()
_known: Registry | None = None
_until = 0.0


def current() -> Registry:
    """The registry, at most ``TTL_SECONDS`` old."""
    known = _fresh()
    if known is None:
        with _lock:
            known = _fresh() or _load()
    return known


async def acurrent() -> Registry:
    """``current`` for the event loop; takes a thread only to read anew."""
    return _fresh() or await in_thread(current)()


def tokens() -> Tokens:
    """The token registry, inactive tokens included."""
    return current().tokens


def forget() -> None:
    """Read anew at the next use, in this process."""
    global _until
    _until = 0.0


def _fresh() -> Registry | None:
    return _known if time.monotonic() < _until else None


def _load() -> Registry:
    global _known, _until
    rows = [
        TokenInfo(t.mint, t.symbol, t.decimals, t.token2022, t.active) for t in Token.objects.all()
    ]
    wallets = Wallet.objects.filter(active=True).values_list("address", flat=True)
    _known = Registry(
        Tokens({t.mint: t for t in rows}, {t.symbol.upper(): t for t in rows}), frozenset(wallets)
    )
    _until = time.monotonic() + TTL_SECONDS
    return _known
