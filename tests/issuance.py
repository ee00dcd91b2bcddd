"""Mints and redeems of a stack: how people ask for them, and the account that is given of them."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg

from sandbox.evm import HOLDERS, Account
from tests.clients import Json
from tests.evm import TOKEN, EvmChain, Happened
from tests.stack import Stack
from tests.waiting import until

TIMEOUT_SECONDS = 30
# Leases, back-offs and a process that starts again all fit in; what takes longer is stuck.
PATIENCE_SECONDS = 90.0
MINTS = 3
REDEEMERS = HOLDERS[:2]
WAVE = MINTS + len(REDEEMERS)
# Two people of the back office, who say yes one after the other; the first one twice.
_AGREE = """
from django.contrib.auth import get_user_model
from fairlane.core.errors import Problem
from fairlane.core.principals import Principal
from stablecoin import services
from stablecoin.models import Request
request = Request.objects.get(request_id={name!r})
refusals = []
for name in ("ann", "ann", "bob"):
    user, _ = get_user_model().objects.get_or_create(username=name)
    person = Principal("user", str(user.pk), name, frozenset(), frozenset())
    try:
        services.agree(request_id=request.id, by=person, reason="seen")
    except Problem as problem:
        refusals.append((name, problem.code))
assert refusals == [("ann", "spoken_before")], refusals
"""
_SWITCH = """
from fairlane.core import switches
switches.set_switch(name={name!r}, on={on}, by="test", reason="a pause")
"""

WAY = ["RECEIVED", "QUEUED", "SIGNING", "SIGNED", "SUBMITTED", "MINED", "COMPLETED"]


@dataclass
class Issuance:
    """What people do around a stack's stablecoin, and what Fairlane's rows say of it.

    Attributes:
        approved: the mints that the compliance service approved.
        refused: those of them that are not to be carried out.
        redeems: how many redeems holders asked for.
    """

    stack: Stack
    approved: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    redeems: int = 0

    @property
    def chain(self) -> EvmChain:
        """The first chain."""
        return next(iter(self.stack.chains.values()))

    # The compliance service

    def approve(self, *asked: Json) -> list[str]:
        """The compliance service approves mints; returns their request ids."""
        names: list[str] = self._kuro("approve", list(asked))["requestIds"]
        self.approved += names
        return names

    def approve_some(self, count: int, *, chain: int | None = None) -> list[str]:
        """Mints of one token each, of holders in turn."""
        chain_id = chain or self.chain.chain_id
        return self.approve(
            *(mint(HOLDERS[n % len(HOLDERS)], TOKEN, chain=chain_id) for n in range(count))
        )

    def repeat(self, name: str, **changes: object) -> None:
        """The compliance service tells of a known approval again, changed."""
        self._kuro("repeat", {"requestId": name, **changes})

    def turn_kuro(self, **knobs: object) -> None:
        self._kuro("knobs", knobs)

    def disconnect(self) -> None:
        """The compliance service closes every socket."""
        self._kuro("disconnect", {})

    def take_kuro_down(self, *, ms: int) -> None:
        self._kuro("down", {"ms": ms})

    def turn_kms(self, **knobs: object) -> None:
        self._post(f"{self.stack.parts['kms'].url}/sandbox/knobs", knobs)

    # Holders

    def redeem(self, holder: Account, amount: int, *, chain: EvmChain | None = None) -> None:
        (chain or self.chain).redeem(holder, amount)
        self.redeems += 1

    # The back office

    def agree(self, name: str) -> None:
        """Two people agree to a request."""
        self._run(_AGREE.format(name=name))

    def switch(self, name: str, *, on: bool) -> None:
        """Somebody turns a switch."""
        self._run(_SWITCH.format(name=name, on=on))

    def _run(self, code: str) -> None:
        self.stack.manage(["shell", "--no-imports", "--command", code])

    # Both

    async def ask(self) -> None:
        """Mints and redeems are asked for."""
        await self.give_tokens()
        self.approve_some(MINTS)
        for holder in REDEEMERS:
            self.redeem(holder, TOKEN // 1000)

    async def wave(self, status: str) -> None:
        """Mints and redeems, beside which none are under way, that come as far as a status."""
        await self.ask()
        await self.when(lambda: self.statuses()[status] == WAVE, f"the wave is {status}")

    async def give_tokens(self) -> None:
        """Let holders have some, if nobody has any."""
        if not self.approved:
            await self.reached(self.approve_some(len(HOLDERS)), "COMPLETED")

    # What Fairlane says

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with psycopg.connect(self.stack.postgres_url, autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()

    def status(self, name: str) -> str:
        """Of a mint; empty where it is not known."""
        found = self.rows("SELECT status FROM stablecoin_request WHERE request_id = %s", name)
        return str(found[0][0]) if found else ""

    def statuses(self) -> Counter[str]:
        """How many requests are in each status."""
        found = self.rows("SELECT status, count(*) FROM stablecoin_request GROUP BY status")
        return Counter({str(status): int(count) for status, count in found})

    def history(self, name: str) -> list[str]:
        """The statuses that a request told of, whose sequence has no holes."""
        found = self.rows(
            "SELECT e.seq, e.status FROM core_event e JOIN stablecoin_request r"
            " ON r.id = e.object_id WHERE r.request_id = %s ORDER BY e.seq",
            name,
        )
        assert [seq for seq, _ in found] == list(range(1, len(found) + 1))
        return [status for _, status in found]

    def frames(self, outcome: str) -> list[tuple[str, str]]:
        """Request id and reason of the frames that were kept with this outcome."""
        return [
            (name, reason)
            for name, reason in self.rows(
                "SELECT request_id, reason FROM stablecoin_kuroevent WHERE outcome = %s", outcome
            )
        ]

    async def reached(self, names: Collection[str], *statuses: str) -> None:
        """Return when all of these requests are in one of the statuses."""
        await self.when(lambda: all(self.status(n) in statuses for n in names), f"{statuses}")

    async def when(self, condition: Callable[[], Any], what: str) -> None:
        """Return when a condition holds.

        Raises:
            AssertionError: it does not in time; the message has what requests are waiting for.
        """
        try:
            await until(condition, what, seconds=PATIENCE_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.statuses()}; {self._open_work()}") from None

    # The account

    async def give_account(self) -> None:
        """Wait for the end of all requests, and compare what everybody says of them.

        Raises:
            AssertionError: a request is stuck; something was minted or redeemed other than once,
                or that nobody asked for; the ledger or the nonces differ from the chain.
        """
        asked = len(self.approved) + self.redeems
        completed = asked - len(self.refused)

        def ended() -> bool:
            return self.statuses()["COMPLETED"] == completed and self._all_final()

        await self.when(ended, f"{completed} requests are completed")
        assert sum(self.statuses().values()) == asked
        for chain in self.stack.chains.values():
            await self.when(lambda: self._heard(chain), "the listener is done")  # noqa: B023
            self._check_chain(chain)
        assert not self.rows('SELECT name FROM core_switch WHERE NOT "on"'), "a chain is paused"
        assert not self.rows("SELECT problem FROM stablecoin_chainlog WHERE problem <> ''")

    def _all_final(self) -> bool:
        return not self.rows("SELECT 1 FROM stablecoin_transaction WHERE state <> 'FINAL' LIMIT 1")

    def _heard(self, chain: EvmChain) -> bool:
        return self._issued(chain) == chain.supply()

    def _issued(self, chain: EvmChain) -> int:
        return -self._balance(chain, "issued")

    def _balance(self, chain: EvmChain, account: str) -> int:
        found = self.rows(
            "SELECT amount FROM stablecoin_ledgerbalance WHERE chain_id = %s AND account = %s",
            chain.chain_id,
            account,
        )
        return int(found[0][0]) if found else 0

    def _check_chain(self, chain: EvmChain) -> None:
        minted, redeemed = chain.happened("Minted"), chain.happened("Redeemed")
        assert minted == self._approved(chain)
        assert redeemed == chain.happened("RedeemRequested")
        supply = _sum(minted) - _sum(redeemed)
        assert chain.supply() == supply == self._issued(chain)
        assert chain.locked() == 0 == self._balance(chain, "locked")
        nonces = self.rows(
            "SELECT nonce FROM stablecoin_transaction t JOIN stablecoin_relayer r"
            " ON r.id = t.relayer_id WHERE r.chain_id = %s ORDER BY nonce",
            chain.chain_id,
        )
        assert [nonce for (nonce,) in nonces] == list(range(chain.used_nonces()))

    def _approved(self, chain: EvmChain) -> Happened:
        """What the compliance service approved on a chain and nobody refused."""
        url = f"{self.stack.parts['kuro'].url}/sandbox/approved"
        answer = httpx.get(url, timeout=TIMEOUT_SECONDS, trust_env=False).json()
        return Counter(
            (event["requestId"], event["user"], int(event["amount"]))
            for event in answer
            if event["chainId"] == chain.chain_id and event["requestId"] not in self.refused
        )

    def _open_work(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "SELECT stage, count(*), min(due_at - now()), max(last_error)"
            " FROM core_work GROUP BY stage"
        )

    def _kuro(self, deed: str, body: object) -> Any:
        return self._post(f"{self.stack.parts['kuro'].url}/sandbox/{deed}", body)

    def _post(self, url: str, body: object) -> Any:
        answer = httpx.post(url, json=body, timeout=TIMEOUT_SECONDS, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json()


def mint(holder: Account, amount: int, *, chain: int, **further: object) -> Json:
    """What the compliance service is to approve."""
    return {"user": holder.address, "amount": str(amount), "chainId": chain, **further}


def _sum(happened: Happened) -> int:
    return sum(amount * count for (_, _, amount), count in happened.items())
