"""Query parameters of lists and names."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet

from fairlane.core.queries import Query
from stablecoin import selectors
from stablecoin.models import Kind, Request
from stablecoin.selectors import Name
from stablecoin.states import PHASES

PAGE_SIZE = 50
MAX_PAGE_SIZE = 500
# Who wants to read everything resumes a feed; a page this far back costs as much as all before it.
MAX_OFFSET = 100_000


@dataclass(frozen=True, slots=True)
class Filters:
    """Which requests are asked for; None is all."""

    kind: str | None
    status: str | None
    phase: str | None
    chain_id: int | None
    limit: int
    offset: int

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "Filters":
        """
        Raises:
            Problem: 400, with every parameter that is unknown or wrong.
        """
        asked = Query(query)
        filters = cls(
            kind=asked.word("type", Kind.values),
            status=asked.word("status", PHASES),
            phase=asked.word("phase", PHASES.values()),
            chain_id=asked.number("chainId", 1, 2**31 - 1),
            limit=asked.number("limit", 1, MAX_PAGE_SIZE) or PAGE_SIZE,
            offset=asked.number("offset", 0, MAX_OFFSET) or 0,
        )
        asked.finish()
        return filters

    def applied(self, requests: QuerySet[Request]) -> QuerySet[Request]:
        """Those of the requests that are asked for."""
        if self.kind is not None:
            requests = requests.filter(kind=self.kind)
        if self.chain_id is not None:
            if self.chain_id not in settings.EVM_CHAINS:
                # No index would find that there are none.
                return requests.none()
            requests = requests.filter(chain_id=self.chain_id)
        if self.status is not None:
            requests = selectors.with_status(requests, self.status)
        if self.phase is not None:
            requests = selectors.in_phase(requests, self.phase)
        return requests


def name_from(request_id: str, query: Mapping[str, str]) -> Name:
    """The name that a path and its parameters tell.

    Raises:
        Problem: 400, a parameter is unknown or wrong.
    """
    asked = Query(query)
    name = Name(request_id, asked.word("type", Kind.values), asked.number("chainId", 1, 2**31 - 1))
    asked.finish()
    return name
