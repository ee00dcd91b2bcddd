"""Profile A: the contract that this project ships. Requests are named by text."""

from typing import cast

from chains.evm.ports import Log
from stablecoin.profiles.base import (
    ChainEvent,
    EventKind,
    MintTerms,
    RedeemTerms,
    call,
    data,
    indexed_address,
    topic,
)
from stablecoin.typed_data import Domain, Message

_MEMBERS = "uint256 amount,uint256 nonce,uint256 deadline"
MINT_APPROVAL = Message(f"MintApproval(string requestId,address to,{_MEMBERS})")
REDEEM_FINALIZE = Message(f"RedeemFinalize(string requestId,address from,{_MEMBERS})")

_EVENTS: dict[str, EventKind] = {
    topic("Minted(string,address,uint256)"): "minted",
    topic("RedeemRequested(string,address,uint256)"): "redeem_requested",
    topic("Redeemed(string,address,uint256)"): "redeem_finalized",
    topic("RedeemCancelled(string,address,uint256)"): "redeem_cancelled",
}


class ProfileA:
    """Text names, nonces in any order, tokens locked until a redeem is finalized."""

    name = "A"
    domain_name = "Stablecoin"
    ordered_nonces = False
    locks_tokens = True
    finalizes_redeems = True
    names_bank = False
    hashes_names = False
    topics = tuple(_EVENTS)

    def request_key(self, request_id: str) -> str:
        return request_id

    def mint_digest(self, domain: Domain, terms: MintTerms) -> bytes:
        return MINT_APPROVAL.digest(
            domain, terms.request_id, terms.to, terms.amount, terms.nonce, terms.deadline
        )

    def redeem_digest(self, domain: Domain, terms: RedeemTerms) -> bytes:
        return REDEEM_FINALIZE.digest(
            domain, terms.request_id, terms.holder, terms.amount, terms.nonce, terms.deadline
        )

    def mint_call(self, terms: MintTerms, signature: bytes) -> bytes:
        return call(
            "mintWithApproval(string,address,uint256,uint256,uint256,bytes)",
            terms.request_id,
            terms.to,
            terms.amount,
            terms.nonce,
            terms.deadline,
            signature,
        )

    def redeem_call(self, terms: RedeemTerms, signature: bytes) -> bytes:
        return call(
            "finalizeRedeem(string,address,uint256,uint256,uint256,bytes)",
            terms.request_id,
            terms.holder,
            terms.amount,
            terms.nonce,
            terms.deadline,
            signature,
        )

    def nonce_call(self, account: str) -> bytes | None:
        return None

    def locked_call(self) -> bytes | None:
        return call("lockedAmount()")

    def processed_call(self, request_id: str) -> bytes | None:
        return call("isProcessed(string)", request_id)

    def lock_call(self, request_id: str) -> bytes | None:
        return call("redeemRequest(string)", request_id)

    def decode(self, log: Log) -> ChainEvent | None:
        kind = _EVENTS.get(log.topics[0]) if log.topics else None
        if kind is None:
            return None
        request_id, amount = data(log, "string", "uint256")
        return ChainEvent(kind, cast(str, request_id), indexed_address(log, 1), cast(int, amount))
