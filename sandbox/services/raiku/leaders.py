"""Who leads which slot: a pure function of the seed and the slot."""

from functools import lru_cache
from hashlib import sha256

from solders.pubkey import Pubkey

from sandbox.services.makers.chance import draw

# Solana gives a leader four slots in a row.
SLOTS_PER_LEADER = 4
VALIDATORS = 5


@lru_cache(maxsize=4096)
def leader(seed: int, share: int, slot: int) -> str | None:
    """The address of the venue's validator that leads the slot; None where another one does.

    `share` is the percentage of slots that are the venue's. A larger one only adds slots.
    """
    turn = slot // SLOTS_PER_LEADER
    if draw(seed, f"leader/{turn}", 100) >= share:
        return None
    number = draw(seed, f"validator/{turn}", VALIDATORS)
    return str(Pubkey(sha256(f"raiku validator {number} {seed}".encode()).digest()))
