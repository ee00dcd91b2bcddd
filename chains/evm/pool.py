"""The RPC providers of one chain: which of them to ask, and whom to believe.

Whoever answers with errors is alive. Only silence, nonsense, rate limits, another chain's id and
heights that cannot be shown count against a provider: it is passed over for a pause that grows.
All providers that are not paused are asked for their heads now and then, which finds the late ones,
and those that have recovered, without making the questions of the apps pay for it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from chains.errors import ChainError, Definitive, TooLarge, Transient
from chains.evm import decode
from chains.evm.failures import Unready, of_evm_rpc
from chains.evm.ports import Block, NodeStatus
from chains.http import Http
from chains.json_rpc import BATCH_CALLS, Call, JsonRpc

# Providers see a block within a second or two of each other.
MAX_BEHIND = 2
# Others that are further below a claimed head than this do not know it for another reason.
FAR_AHEAD = 20
# After this long without a provider that shows it, a height was a mistake or a lost fork.
HEIGHT_MEMORY_S = 60.0
SURVEY_EVERY_S = 3.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
# A provider that says nothing costs this much while another could be asked, once: whoever was
# silent before gets less to show that it is back.
PATIENCE_S = 2.0
PROBE_S = 1.0

LATEST: Call = ("eth_getBlockByNumber", ["latest", False])
_CHAIN_ID: Call = ("eth_chainId", [])

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Provider:
    """One provider and what is known of it. `name` holds no secret."""

    name: str
    rpc: JsonRpc
    failures: int = 0
    paused_until: float = 0.0
    identified: bool = False
    height: int | None = None
    behind: bool = False
    error: str = ""

    @property
    def healthy(self) -> bool:
        return not self.error and not self.behind

    def failed(self, error: ChainError) -> None:
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self.failures, 10))
        self.failures += 1
        self.paused_until = time.monotonic() + pause
        self.error = str(error)
        # Behind the same address there may be another node when it comes back.
        self.identified = False

    def answered(self) -> None:
        self.failures, self.paused_until, self.error = 0, 0.0, ""


class Conversation:
    """Questions to one provider, whose view never goes back behind the `head` of the first.

    Behind one address may be many nodes, of different age: so every request asks for the head too.
    """

    def __init__(self, pool: "Pool", provider: Provider) -> None:
        self._pool = pool
        self._provider = provider
        self._head: Block | None = None

    @property
    def node(self) -> str:
        return self._provider.name

    @property
    def head(self) -> Block:
        """The latest block when the first question was asked."""
        assert self._head is not None
        return self._head

    async def ask(self, calls: Sequence[Call] = ()) -> list[Any | ChainError]:
        """The answers of calls that belong together; what is asked later is answered later.

        Raises:
            Transient: one has none, or the provider is late.
            TooLarge: together they are more than is taken.
        """
        size = BATCH_CALLS - 1
        chunks = [calls[i : i + size] for i in range(0, len(calls), size)] or [()]
        answers = await asyncio.gather(*(self._request(chunk) for chunk in chunks))
        return [answer for chunk in answers for answer in chunk]

    async def _request(self, calls: Sequence[Call]) -> list[Any | ChainError]:
        latest, *answers = await self._provider.rpc.together([LATEST, *calls])
        if isinstance(latest, TooLarge):
            raise latest
        head = _told(LATEST, decode.block, latest)
        lost = next((answer for answer in answers if isinstance(answer, Transient)), None)
        if lost is not None:
            raise lost
        if self._head is None:
            self._head = head
            await self._pool.check(self._provider, head)
        elif head.number < self._head.number:
            raise Unready(f"{self.node} went back from {self._head.number} to {head.number}")
        return answers


class Pool:
    """Asks one provider after the other, in the order of the settings, until one answers."""

    def __init__(self, chain_id: int, urls: Sequence[str], http: Http) -> None:
        self.chain_id = chain_id
        self.providers = [
            Provider(name, JsonRpc(url, http, peer=name, classify=of_evm_rpc))
            for name, url in zip(_names(urls), urls, strict=True)
        ]
        self._highest = -1
        self._seen_at = float("-inf")
        self._survey_at = float("-inf")
        self._in_use: Provider | None = None

    async def read(self, talk: Callable[[Conversation], Awaitable[T]]) -> T:
        """What `talk` makes of the first provider that answers all it asks.

        Raises:
            ChainError: what `talk` raises, except for Transient.
            Transient: no provider did.
        """
        await self._survey()
        candidates = self._candidates()
        last = Transient(self._silence())
        for provider in candidates:
            try:
                async with asyncio.timeout(PATIENCE_S if provider is not candidates[-1] else None):
                    value = await talk(Conversation(self, provider))
            except TimeoutError:
                last = Transient(f"{provider.name} did not answer in time")
                provider.failed(last)
            except Unready as error:
                last = error
            except Transient as error:
                last = error
                provider.failed(error)
            else:
                provider.answered()
                self._in_use = provider
                return value
        raise Transient(f"chain {self.chain_id}: {last}")

    async def tell(self, calls: Sequence[Call]) -> list[list[Any | ChainError]]:
        """What each provider that can be asked answers, nothing tried twice."""
        await self._survey()
        return await asyncio.gather(*(_sent(p, calls) for p in self._candidates()))

    async def check(self, provider: Provider, head: Block) -> None:
        """Pass over whoever is late, and whoever claims a head that it cannot show.

        Raises:
            Transient: it is one of these.
        """
        if time.monotonic() - self._seen_at > HEIGHT_MEMORY_S:
            self._highest = -1
        if head.number > self._highest + MAX_BEHIND:
            await self._prove(provider, head)
        provider.height = head.number
        provider.behind = head.number < self._highest - MAX_BEHIND
        if provider.behind:
            late = self._highest - head.number
            raise Unready(f"{provider.name} is {late} blocks behind the others")
        if head.number >= self._highest:
            self._highest, self._seen_at = head.number, time.monotonic()

    def status(self) -> list[NodeStatus]:
        """How each provider did when it was last asked."""
        return [
            NodeStatus(
                name=p.name,
                healthy=p.healthy,
                in_use=p is self._in_use and p.healthy,
                height=p.height,
                behind=0 if p.height is None else max(0, self._highest - p.height),
                error=p.error or ("it is behind the others" if p.behind else ""),
            )
            for p in self.providers
        ]

    def _candidates(self) -> list[Provider]:
        """Those of this chain that are not paused, in the order of the settings, late ones last."""
        now = time.monotonic()
        ready = [p for p in self.providers if p.identified and now >= p.paused_until]
        return sorted(ready, key=lambda p: p.behind)

    def _silence(self) -> str:
        return "; ".join(p.error for p in self.providers if p.error) or "it has no provider"

    async def _survey(self) -> None:
        """Ask whoever is not paused for chain id and head, if the last time was long ago."""
        now = time.monotonic()
        identified = any(p.identified for p in self.providers)
        if identified and (now < self._survey_at or len(self.providers) == 1):
            return
        self._survey_at = now + SURVEY_EVERY_S
        asked = [p for p in self.providers if now >= p.paused_until]
        heads = await asyncio.gather(*(self._introduced(p) for p in asked))
        met = [(p, head) for p, head in zip(asked, heads, strict=True) if head is not None]
        for provider, head in met:
            provider.height = head.number
        for provider, head in sorted(met, key=lambda it: -it[1].number):
            await self._surveyed(provider, head)

    async def _introduced(self, provider: Provider) -> Block | None:
        """The provider's head, if it is of this chain."""
        try:
            async with asyncio.timeout(PROBE_S if provider.failures else PATIENCE_S):
                told, latest = await provider.rpc.together([_CHAIN_ID, LATEST])
            chain_id = _told(_CHAIN_ID, decode.number, told)
            if chain_id != self.chain_id:
                raise Transient(f"{provider.name} is of chain {chain_id}")
            return _told(LATEST, decode.block, latest)
        except TimeoutError:
            provider.failed(Transient(f"{provider.name} did not answer in time"))
        except Transient as error:
            provider.failed(error)
        return None

    async def _surveyed(self, provider: Provider, head: Block) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.check(provider, head)
        except Unready:
            pass  # alive, and only late
        except (TimeoutError, Transient) as error:
            provider.failed(Transient(str(error) or f"{provider.name} did not answer in time"))
            return
        provider.answered()
        provider.identified = True

    async def _prove(self, provider: Provider, head: Block) -> None:
        """Have a provider show the head by which all others would be late.

        A header can be made up too, so two others that are far below outweigh it.
        """
        now, far_below = time.monotonic(), head.number - FAR_AHEAD
        others = [p for p in self.providers if p is not provider and now >= p.paused_until]
        if sum(p.height is not None and p.height < far_below for p in others) >= 2:
            raise Transient(f"{provider.name} claims a height far above all others")
        (answer,) = await provider.rpc.batch(LATEST[0], [[hex(head.number), False]])
        shown = _told(LATEST, decode.block_or_none, answer)
        if shown is None or shown.hash != head.hash:
            raise Transient(f"{provider.name} claims a height that it cannot show")


def _told(call: Call, read: Callable[[Any], T], answer: Any | ChainError) -> T:
    """What every provider can answer: one that refuses is of no use.

    Raises:
        Transient: there is no such answer.
    """
    try:
        return decode.decoded(call[0], read, answer)
    except Definitive as error:
        raise Transient(str(error)) from None


async def _sent(provider: Provider, calls: Sequence[Call]) -> list[Any | ChainError]:
    """The answers to calls whose order matters: the second batch goes when the first is there."""
    answers: list[Any | ChainError] = []
    for start in range(0, len(calls), BATCH_CALLS):
        answers += await provider.rpc.together(calls[start : start + BATCH_CALLS])
    for answer in answers:
        if isinstance(answer, Transient) and not isinstance(answer, Unready):
            provider.failed(answer)
            break
    return answers


def _names(urls: Sequence[str]) -> list[str]:
    """The hosts, numbered where they are the same; paths and user parts may be secret."""
    hosts = []
    for url in urls:
        parts = urlsplit(url)
        hosts.append(f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname))
    return [
        host if hosts.count(host) == 1 else f"{host} #{hosts[: at + 1].count(host)}"
        for at, host in enumerate(hosts)
    ]
