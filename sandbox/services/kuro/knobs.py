"""How the service misbehaves on its socket; its REST interface tells everything."""

import random
from dataclasses import dataclass

from sandbox.services.knobs import Knobs


@dataclass(frozen=True)
class KuroKnobs(Knobs):
    """Shares of the frames that are sent twice, held back until after the next one, never sent,
    or followed by one that means nothing; and whether frames say their type."""

    duplicates: float = 0.0
    out_of_order: float = 0.0
    drop: float = 0.0
    malformed: float = 0.0
    with_type: bool = False


def happens(share: float) -> bool:
    return random.random() < share
