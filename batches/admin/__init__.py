"""The back office of the batches app."""

from django.conf import settings

from batches import stage_names
from fairlane.core.admin.topics import topics

__all__ = ["batches", "markets", "orders", "ticks", "transfers", "vaults"]

_STAGES = {
    "tick": (stage_names.CLOSE, stage_names.COMMIT, stage_names.CLEAR),
    "transfer": (stage_names.PULL, stage_names.PAY),
    "packet": (stage_names.LAND,),
}

if settings.BATCHES_KEYS_DIR:
    from batches.admin import batches, markets, orders, ticks, transfers, vaults

    topics.pages["batch_order"] = "admin:batches_batchorder_change"
    for _kind in ("tick", "batch", "transfer", "packet"):
        topics.pages[_kind] = f"admin:batches_{_kind}_change"
    for _kind, _names in _STAGES.items():
        topics.stages.update(dict.fromkeys(_names, _kind))
