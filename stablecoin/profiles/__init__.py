"""Contract designs: typed data, calls and events of each."""

from .a import ProfileA
from .b import ProfileB
from .base import ChainEvent, EventKind, MalformedLog, MintTerms, Profile, RedeemTerms
from .c import ProfileC

__all__ = [
    "ChainEvent",
    "EventKind",
    "MalformedLog",
    "MintTerms",
    "Profile",
    "RedeemTerms",
    "profile",
]

_PROFILES: dict[str, Profile] = {p.name: p for p in (ProfileA(), ProfileB(), ProfileC())}


def profile(name: str) -> Profile:
    """The profile that a chain's configuration names."""
    return _PROFILES[name]
