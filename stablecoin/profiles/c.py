"""Profile C: B's mint; a redeem burns at once, so its event is the whole of it."""

from typing import cast

from chains.evm.ports import Log
from stablecoin.profiles.b import MINTED, ProfileB, minted
from stablecoin.profiles.base import (
    ChainEvent,
    RedeemTerms,
    bytes32,
    call,
    data,
    indexed_address,
    topic,
)
from stablecoin.typed_data import Domain

_REQUESTED = topic("RedeemRequested(address,uint256)")


class ProfileC(ProfileB):
    """As B, but there is nothing to approve or to finalize about a redeem."""

    name = "C"
    finalizes_redeems = False
    names_bank = False
    topics = (MINTED, _REQUESTED)

    def redeem_digest(self, domain: Domain, terms: RedeemTerms) -> bytes:
        raise ValueError("a redeem of profile C needs no approval")

    def redeem_call(self, terms: RedeemTerms, signature: bytes) -> bytes:
        raise ValueError("a redeem of profile C needs no approval")

    def processed_call(self, request_id: str) -> bytes | None:
        return call("mintProcessed(bytes32)", bytes32(request_id))

    def decode(self, log: Log) -> ChainEvent | None:
        match log.topics[0] if log.topics else "":
            case t if t == MINTED:
                return minted(log)
            case t if t == _REQUESTED:
                (amount,) = data(log, "uint256")
                # The event has no name for the request, but it happens once in one place.
                request_id = f"{log.transaction_hash}-{log.index}"
                account = indexed_address(log, 1)
                return ChainEvent("redeem_requested", request_id, account, cast(int, amount))
        return None
