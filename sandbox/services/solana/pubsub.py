"""Subscriptions: who wants to hear of what, and the notifications when it happens."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from solders.account import Account
from solders.pubkey import Pubkey

from .bank import Bank
from .chain import Block, Commitment
from .execution import Executed
from .history import Head
from .programs import SYSTEM
from .rpc import accounts
from .rpc import params as read
from .rpc.answers import contextual
from .rpc.errors import METHOD_NOT_FOUND, RpcError, invalid_params

BACKLOG_LIMIT = 10_000
"""A client that lets so many notifications pile up is disconnected."""

NO_ACCOUNT = Account(0, b"", SYSTEM)


class Client:
    """A connection: its messages to send, in order; None ends it."""

    def __init__(self) -> None:
        self.outbox: asyncio.Queue[bytes | None] = asyncio.Queue(BACKLOG_LIMIT)

    def send(self, message: Any) -> None:
        """Queue a message; a client that does not keep up loses its connection."""
        try:
            self.outbox.put_nowait(orjson.dumps(message))
        except asyncio.QueueFull:
            self.outbox.get_nowait()
            self.outbox.put_nowait(None)


@dataclass(slots=True, eq=False)
class Subscription:
    """What one client asked for. `target` is a signature or an address; None is everything."""

    id: int
    client: Client
    kind: str
    level: Commitment
    target: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    tests: list[accounts.Filter] = field(default_factory=list)

    def notify(self, result: Any) -> None:
        """Send a notification."""
        params = {"result": result, "subscription": self.id}
        method = f"{self.kind}Notification"
        self.client.send({"jsonrpc": "2.0", "method": method, "params": params})


class PubSub:
    """All subscriptions of the node."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._ids = itertools.count(1)
        self._all: dict[int, Subscription] = {}
        self._by_kind: dict[tuple[str, Commitment], dict[int, Subscription]] = defaultdict(dict)
        self._fresh: list[Executed] = []
        self._root = bank.chain.root.slot

    def call(self, client: Client, method: str, params: list[Any]) -> int | bool:
        """Subscribe (returns the id) or unsubscribe (returns True).

        Raises:
            RpcError: no such method, no such subscription, or wrong parameters.
        """
        for kind, reader in _READERS.items():
            if method == f"{kind}Subscribe":
                wanted = Subscription(next(self._ids), client, kind, _PROCESSED)
                return self._add(reader(wanted, params))
            if method == f"{kind}Unsubscribe":
                found = self._all.get(read.argument(params, 0, int, "subscription"))
                if found is None or found.client is not client:
                    raise invalid_params("Invalid subscription id.")
                self._remove(found)
                return True
        raise RpcError(METHOD_NOT_FOUND, "Method not found")

    def drop(self, client: Client) -> None:
        """Forget all subscriptions of a connection that ended."""
        for subscription in [s for s in self._all.values() if s.client is client]:
            self._remove(subscription)

    def executed(self) -> None:
        """Tell what transactions have done since the last call, at commitment processed."""
        fresh, self._fresh = self._fresh, []
        self._observe()
        self.signatures(_PROCESSED)
        if fresh:
            written = {key: None for each in fresh for key, _ in each.before}
            self._accounts(_PROCESSED, written)
            self._logs(_PROCESSED, ((each.head, each.body.logs) for each in fresh))

    def closed(self, block: Block) -> None:
        """Tell what a block that closed has confirmed, and what that has finalized."""
        self.executed()
        self._reached(Commitment.CONFIRMED, block)
        chain = self._bank.chain
        if chain.root.slot > self._root:
            self._root = chain.root.slot
            self._reached(Commitment.FINALIZED, chain.root)
            for subscription in self._each("root", _PROCESSED):
                subscription.notify(self._root)
        slot = {"slot": chain.open.slot, "parent": block.slot, "root": chain.root.slot}
        for subscription in self._each("slot", _PROCESSED):
            subscription.notify(slot)

    def signatures(self, level: Commitment) -> None:
        """Tell the outcomes of awaited transactions that have reached the level."""
        history, chain = self._bank.history, self._bank.chain
        for subscription in self._each("signature", level):
            number = history.find(subscription.target)
            if number is None or chain.commitment_of(history.slot(number)) < level:
                continue
            value = {"err": history.error(number)}
            subscription.notify(contextual(self._bank, level, value))
            self._remove(subscription)

    def _reached(self, level: Commitment, block: Block) -> None:
        self.signatures(level)
        self._accounts(level, block.prices)
        if self._by_kind["logs", level]:
            numbers = self._bank.transactions_of(block)
            records = map(self._bank.history.read, numbers)
            self._logs(level, ((head, body.logs) for head, body in records))

    def _accounts(self, level: Commitment, written: Iterable[Pubkey]) -> None:
        bank = self._bank
        for subscription in self._each("account", level):
            if subscription.target in written:
                account = bank.account(subscription.target, level) or NO_ACCOUNT
                shown = accounts.shown(bank, level, subscription.options, account)
                subscription.notify(contextual(bank, level, shown))
        programs = self._each("program", level)
        for address in written if programs else ():
            held = bank.account(address, level)
            for subscription in programs:
                if held is None or held.owner != subscription.target:
                    continue
                if all(test(held) for test in subscription.tests):
                    shown = accounts.shown(bank, level, subscription.options, held)
                    value = {"pubkey": str(address), "account": shown}
                    subscription.notify(contextual(bank, level, value))

    def _logs(self, level: Commitment, transactions: Iterator[tuple[Head, list[str]]]) -> None:
        subscriptions = self._each("logs", level)
        for head, logs in transactions if subscriptions else ():
            value = {"signature": head.signature, "err": head.error, "logs": logs}
            keys = {head.keys[at : at + 32] for at in range(0, len(head.keys), 32)}
            for subscription in subscriptions:
                if subscription.target is None or subscription.target in keys:
                    subscription.notify(contextual(self._bank, level, value))

    def _each(self, kind: str, level: Commitment) -> list[Subscription]:
        return list(self._by_kind[kind, level].values())

    def _add(self, subscription: Subscription) -> int:
        self._all[subscription.id] = subscription
        self._by_kind[subscription.kind, subscription.level][subscription.id] = subscription
        self._observe()
        return subscription.id

    def _remove(self, subscription: Subscription) -> None:
        del self._all[subscription.id]
        del self._by_kind[subscription.kind, subscription.level][subscription.id]
        self._observe()

    def _observe(self) -> None:
        # Only while someone listens are executed transactions kept until the next notification.
        wanted = any(self._by_kind[kind, _PROCESSED] for kind in ("account", "program", "logs"))
        self._bank.on_executed = self._fresh.append if wanted else None


def _signature(subscription: Subscription, params: list[Any]) -> Subscription:
    subscription.target = read.signature(read.argument(params, 0, str, "signature"))
    return _configured(subscription, params)


def _account(subscription: Subscription, params: list[Any]) -> Subscription:
    subscription.target = read.pubkey(read.argument(params, 0, str, "pubkey"))
    return _configured(subscription, params)


def _program(subscription: Subscription, params: list[Any]) -> Subscription:
    subscription = _account(subscription, params)
    subscription.tests = accounts.filters(subscription.options)
    return subscription


def _logs(subscription: Subscription, params: list[Any]) -> Subscription:
    match params[:1]:
        case ["all" | "allWithVotes"]:
            pass
        case [{"mentions": [str(address)]}]:
            subscription.target = bytes(read.pubkey(address))
        case _:
            raise invalid_params("Invalid Request: Only 1 address supported")
    return _configured(subscription, params)


def _plain(subscription: Subscription, params: list[Any]) -> Subscription:
    return subscription


def _configured(subscription: Subscription, params: list[Any]) -> Subscription:
    subscription.options = read.config(params, 1)
    subscription.level = read.commitment(subscription.options)
    read.encoding(subscription.options, read.ACCOUNT_ENCODINGS, "binary")
    return subscription


_PROCESSED = Commitment.PROCESSED
_READERS: dict[str, Callable[[Subscription, list[Any]], Subscription]] = {
    "signature": _signature,
    "account": _account,
    "program": _program,
    "logs": _logs,
    "slot": _plain,
    "root": _plain,
}
