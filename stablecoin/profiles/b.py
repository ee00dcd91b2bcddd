"""Profile B: requests are named by 32 bytes, an account's mints are numbered, finalizing burns."""

from typing import cast

from chains.evm.ports import Log
from stablecoin.profiles.base import (
    ChainEvent,
    MintTerms,
    RedeemTerms,
    bytes32,
    call,
    data,
    indexed_address,
    topic,
)
from stablecoin.typed_data import Domain, Message

MINT_APPROVAL = Message(
    "MintApproval(address to,uint256 amount,uint256 nonce,uint64 expiry,uint256 chainId,"
    "bytes32 requestId)"
)
REDEEM_FINALIZE = Message(
    "RedeemFinalize(bytes32 requestId,address account,uint256 amount,uint64 expiry,string bankRef)"
)

MINTED = topic("MintWithApproval(address,uint256,uint256,bytes32)")
_REQUESTED = topic("RedeemRequested(bytes32,address,uint256)")
_FINALIZED = topic("RedeemFinalized(bytes32,address,uint256,string)")


class ProfileB:
    """Names of 32 bytes, numbered mints, and redeems that burn when they are finalized."""

    name = "B"
    domain_name: str | None = None
    ordered_nonces = True
    locks_tokens = False
    finalizes_redeems = True
    names_bank = True
    hashes_names = True
    topics: tuple[str, ...] = (MINTED, _REQUESTED, _FINALIZED)

    def request_key(self, request_id: str) -> str:
        return "0x" + bytes32(request_id).hex()

    def mint_digest(self, domain: Domain, terms: MintTerms) -> bytes:
        return MINT_APPROVAL.digest(
            domain,
            terms.to,
            terms.amount,
            terms.nonce,
            terms.deadline,
            terms.chain_id,
            bytes32(terms.request_id),
        )

    def redeem_digest(self, domain: Domain, terms: RedeemTerms) -> bytes:
        return REDEEM_FINALIZE.digest(
            domain,
            bytes32(terms.request_id),
            terms.holder,
            terms.amount,
            terms.deadline,
            terms.reference,
        )

    def mint_call(self, terms: MintTerms, signature: bytes) -> bytes:
        return call(
            "mintWithApproval(address,uint256,uint256,uint64,uint256,bytes32,bytes)",
            terms.to,
            terms.amount,
            terms.nonce,
            terms.deadline,
            terms.chain_id,
            bytes32(terms.request_id),
            signature,
        )

    def redeem_call(self, terms: RedeemTerms, signature: bytes) -> bytes:
        return call(
            "finalizeRedeem(bytes32,address,uint256,uint64,string,bytes)",
            bytes32(terms.request_id),
            terms.holder,
            terms.amount,
            terms.deadline,
            terms.reference,
            signature,
        )

    def nonce_call(self, account: str) -> bytes | None:
        return call("nonces(address)", account)

    def locked_call(self) -> bytes | None:
        return None

    def processed_call(self, request_id: str) -> bytes | None:
        return None

    def lock_call(self, request_id: str) -> bytes | None:
        return None

    def decode(self, log: Log) -> ChainEvent | None:
        match log.topics[0] if log.topics else "":
            case t if t == MINTED:
                return minted(log)
            case t if t == _REQUESTED:
                (amount,) = data(log, "uint256")
                account = indexed_address(log, 2)
                return ChainEvent("redeem_requested", log.topics[1], account, cast(int, amount))
            case t if t == _FINALIZED:
                amount, _ = data(log, "uint256", "string")
                account = indexed_address(log, 2)
                return ChainEvent("redeem_finalized", log.topics[1], account, cast(int, amount))
        return None


def minted(log: Log) -> ChainEvent:
    """A mint of profiles B and C."""
    amount, _, name = data(log, "uint256", "uint256", "bytes32")
    request_id = "0x" + cast(bytes, name).hex()
    return ChainEvent("minted", request_id, indexed_address(log, 1), cast(int, amount))
