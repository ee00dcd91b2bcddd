"""Approvals: the words that are signed for a request, and the call that carries them."""

from stablecoin.execution.rows import RequestRow
from stablecoin.models import Kind
from stablecoin.profiles import MintTerms, RedeemTerms
from stablecoin.registry import ChainInfo
from stablecoin.typed_data import Domain


def digest(
    chain: ChainInfo, domain: Domain, request: RequestRow, nonce: int, deadline: int
) -> bytes:
    """What the approver's key signs for the request."""
    if request.kind == Kind.MINT:
        return chain.profile.mint_digest(domain, _mint(request, nonce, deadline))
    return chain.profile.redeem_digest(domain, _redeem(request, nonce, deadline))


def call_data(
    chain: ChainInfo, request: RequestRow, nonce: int, deadline: int, signature: bytes
) -> bytes:
    """The contract call that carries the request out."""
    if request.kind == Kind.MINT:
        return chain.profile.mint_call(_mint(request, nonce, deadline), signature)
    return chain.profile.redeem_call(_redeem(request, nonce, deadline), signature)


def _mint(request: RequestRow, nonce: int, deadline: int) -> MintTerms:
    return MintTerms(
        request_id=request.request_id,
        to=request.wallet,
        amount=request.amount,
        nonce=nonce,
        deadline=deadline,
        chain_id=request.chain_id,
    )


def _redeem(request: RequestRow, nonce: int, deadline: int) -> RedeemTerms:
    return RedeemTerms(
        request_id=request.request_id,
        holder=request.wallet,
        amount=request.amount,
        nonce=nonce,
        deadline=deadline,
        reference=request.reference,
    )
