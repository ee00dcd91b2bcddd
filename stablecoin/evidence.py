"""What a contract's logs already tell of requests, final or not."""

from collections.abc import Collection
from uuid import UUID

from stablecoin import registry
from stablecoin.models import ChainLog, Kind, Request

_DONE = {Kind.MINT.value: "minted", Kind.REDEEM.value: "redeem_finalized"}


def done(ids: Collection[UUID]) -> set[UUID]:
    """Those of the requests that a contract says it has carried out.

    A contract that counts nonces takes a second approval of the same request: it must not be given
    one while such a log is there, whatever else is believed.
    """
    requests = list(Request.objects.filter(id__in=ids))
    names = {r.id: _names(r) for r in requests}
    logs = ChainLog.objects.filter(
        kind__in=_DONE.values(), request_id__in={n for both in names.values() for n in both}
    )
    told = {(log.chain_id, log.kind, log.request_id) for log in logs}
    return {
        r.id
        for r in requests
        if any((r.chain_id, _DONE[r.kind], name) in told for name in names[r.id])
    }


def _names(request: Request) -> set[str]:
    """The request's own name, and the chain's of it."""
    chain = registry.chains().get(request.chain_id)
    own = request.request_id
    return {own} if chain is None else {own, chain.profile.request_key(own)}
