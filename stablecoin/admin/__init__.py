"""The back office of the stablecoin app."""

from django.conf import settings

from fairlane.core.admin.topics import topics
from stablecoin.registry import chain_switch

__all__ = ["accounts", "records", "requests"]

if settings.EVM_CHAINS:
    from stablecoin.admin import accounts, records, requests

    topics.pages["stablecoin"] = "admin:stablecoin_request_change"
    topics.stages["stablecoin"] = "stablecoin"
    topics.switches["stablecoin"] = "Admission, approval and new transactions on every chain."
    for _chain_id in settings.EVM_CHAINS:
        topics.switches[chain_switch(_chain_id)] = (
            f"The same on chain {_chain_id}; what is sent already is followed to its end."
        )
