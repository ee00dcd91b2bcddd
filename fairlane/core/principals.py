"""Who is calling and what they may do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from fairlane.core.errors import Problem

SCOPES: Final = {
    "orders:read": "see orders, their history and their events",
    "orders:write": "create, execute, replace and cancel orders",
    "quotes:read": "compare the venues' quotes",
    "stablecoin:read": "see mints and redeems, their events, and the state of the chains",
    "stablecoin:write": "ask for mints and redeems",
    "batches:read": "see markets, batches and one's own orders in them, and prove them",
    "batches:write": "send, replace and cancel orders in batches",
    "metrics:read": "read /metrics",
}


class AllWallets:
    """Contains every wallet."""

    def __contains__(self, wallet: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "ALL"


ALL: Final = AllWallets()


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose identity is established."""

    kind: Literal["key", "user"]
    id: str
    name: str
    scopes: frozenset[str]
    wallets: frozenset[str] | AllWallets
    throttle_exempt: bool = False

    # What Django REST framework asks of request.user.
    is_authenticated: Literal[True] = True

    @property
    def ref(self) -> str:
        """The caller in one word, `key:12` or `user:3`: unique and stable."""
        return f"{self.kind}:{self.id}"

    @property
    def actor(self) -> str:
        """The caller for people, in audit entries and logs."""
        return f"{self.ref} {self.name}"

    def has(self, scope: str) -> bool:
        """Whether the scope was granted."""
        return scope in self.scopes

    def require_all_wallets(self) -> None:
        """
        Raises:
            Problem: 403, the caller may see some wallets' affairs only.
        """
        if not isinstance(self.wallets, AllWallets):
            raise Problem(403, "forbidden", "This is for callers who may see every wallet")

    def may_act_for(self, wallet: str) -> bool:
        """Whether orders of this wallet are this caller's business."""
        return wallet in self.wallets

    def require(self, scope: str) -> None:
        """
        Raises:
            Problem: 403, the scope was not granted.
        """
        if not self.has(scope):
            raise Problem(403, "missing_scope", f"This needs the scope {scope}")

    def require_wallet(self, wallet: str) -> None:
        """
        Raises:
            Problem: 403, the wallet is not this caller's.
        """
        if not self.may_act_for(wallet):
            raise Problem(403, "wallet_not_allowed", "This caller may not act for this wallet")
