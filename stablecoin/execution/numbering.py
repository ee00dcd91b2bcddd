"""Which nonce of the contract each approval gets."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db.models import Max

from chains import registry as adapters
from chains.evm.ports import Call, Reverted
from stablecoin.execution.rows import RequestRow
from stablecoin.models import Approval, Kind
from stablecoin.profiles.base import decode_number
from stablecoin.registry import ChainInfo

# While a request is in one of these, its approval may be the account's next on chain.
_UNDER_WAY = ("SIGNING", "SIGNED", "SUBMITTED", "MINED", "REVIEW")

Numbers = dict[UUID, tuple[int, int]]


def number(
    requests: Sequence[RequestRow], chains: Mapping[int, ChainInfo]
) -> tuple[Numbers, set[UUID]]:
    """The number and nonce of each request's next approval, and who has to wait.

    Where the contract takes nonces in any order, the nonce is made of the request's own id, so
    that no two ever meet. Where it counts them per account, one mint of an account goes at a time.

    Raises:
        ChainError: a chain that counts is out of reach.
    """
    ids = [r.id for r in requests]
    last = (
        Approval.objects.filter(request_id__in=ids).values("request_id").annotate(n=Max("number"))
    )
    numbers = dict.fromkeys(ids, 1) | {row["request_id"]: row["n"] + 1 for row in last}
    counted = [
        r for r in requests if r.kind == Kind.MINT and chains[r.chain_id].profile.ordered_nonces
    ]
    nonces = {r.id: (r.id.int << 8) | numbers[r.id] for r in requests}
    turns, waits = _turns(counted, chains)
    nonces |= turns
    return {r.id: (numbers[r.id], nonces[r.id]) for r in requests if r.id not in waits}, waits


def _turns(
    requests: Sequence[RequestRow], chains: Mapping[int, ChainInfo]
) -> tuple[dict[UUID, int], set[UUID]]:
    """The chain's next nonce for the oldest request of each account that has none under way."""
    busy = set(
        Approval.objects.exclude(state="VOID")
        .filter(
            request__kind=Kind.MINT,
            request__wallet__in={r.wallet for r in requests},
            request__status__in=_UNDER_WAY,
        )
        .values_list("request__chain_id", "request__wallet")
    )
    firsts: dict[tuple[int, str], RequestRow] = {}
    for request in requests:
        account = request.chain_id, request.wallet
        if account not in busy:
            firsts.setdefault(account, request)
    nonces = _on_chain(list(firsts.values()), chains)
    return nonces, {r.id for r in requests} - nonces.keys()


def _on_chain(requests: Sequence[RequestRow], chains: Mapping[int, ChainInfo]) -> dict[UUID, int]:
    nonces: dict[UUID, int] = {}
    for chain_id in sorted({r.chain_id for r in requests}):
        own = [r for r in requests if r.chain_id == chain_id]
        chain = chains[chain_id]
        calls = [Call(chain.contract, chain.profile.nonce_call(r.wallet) or b"") for r in own]
        answers = adapters.run(adapters.evm(chain_id).call(calls))
        for request, answer in zip(own, answers, strict=True):
            if not isinstance(answer, Reverted):
                nonces[request.id] = decode_number(answer)
    return nonces
