"""What the shipped contract has to do, in a few lines of Python: tests let both do the same."""

from collections import defaultdict
from dataclasses import dataclass, field

from stablecoin.profiles import MintTerms, RedeemTerms
from stablecoin.tests.deployed import ADMIN, RELAYER, Told


class Refusal(Exception):
    """The name of the error that the contract has to refuse a call with."""


@dataclass
class Pending:
    holder: str
    amount: int


@dataclass
class Model:
    """The contract's state. Every deed returns the event to expect, or raises `Refusal`."""

    address: str
    per_transaction: int
    total: int
    known: set[str]
    minted: int = 0
    burned: int = 0
    least: int = 0
    paused: bool = False
    frozen: set[str] = field(default_factory=set)
    relayers: set[str] = field(default_factory=lambda: {RELAYER})
    balances: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    allowances: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    processed: set[str] = field(default_factory=set)
    nonces: set[tuple[str, int]] = field(default_factory=set)
    pending: dict[str, Pending] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    @property
    def supply(self) -> int:
        return self.minted - self.burned

    @property
    def locked(self) -> int:
        return sum(redeem.amount for redeem in self.pending.values())

    def mint(self, sender: str, terms: MintTerms, *, approved: bool) -> Told:
        self._relayed(sender)
        _refuse(not terms.amount, "ZeroAmount")
        _refuse(terms.amount > self.per_transaction, "TransactionCapExceeded")
        _refuse(self.supply + terms.amount > self.total, "TotalCapExceeded")
        _refuse(terms.request_id in self.asked, "RequestNamesRedeem")
        self._use(terms.request_id, terms.to, terms.nonce, approved)
        self._account(terms.to)
        _refuse(terms.to == self.address, "NotARedeem")
        self.processed.add(terms.request_id)
        self.nonces.add((terms.to, terms.nonce))
        self.balances[terms.to] += terms.amount
        self.minted += terms.amount
        return "Minted", terms.request_id, terms.to, terms.amount

    def check_redeem(self, holder: str, amount: int) -> None:
        """Whether a holder may give tokens up; see `redeem`."""
        _refuse(self.paused, "EnforcedPause")
        _refuse(not amount, "ZeroAmount")
        _refuse(amount < self.least, "RedeemTooSmall")
        _refuse(self.balances[holder] < amount, "ERC20InsufficientBalance")
        self._account(holder)

    def redeem(self, request_id: str, holder: str, amount: int) -> Told:
        """Under the name that the contract has made up."""
        self.balances[holder] -= amount
        self.pending[request_id] = Pending(holder, amount)
        self.asked.add(request_id)
        return "RedeemRequested", request_id, holder, amount

    def finalize(self, sender: str, terms: RedeemTerms, *, approved: bool) -> Told:
        self._relayed(sender)
        redeem = self.pending.get(terms.request_id)
        if redeem is None:
            raise Refusal("RedeemNotPending")
        differs = (redeem.holder, redeem.amount) != (terms.holder, terms.amount)
        _refuse(differs, "RedeemMismatch")
        _refuse(terms.holder in self.frozen, "AccountFrozen")
        self._use(terms.request_id, terms.holder, terms.nonce, approved)
        self.processed.add(terms.request_id)
        self.nonces.add((terms.holder, terms.nonce))
        del self.pending[terms.request_id]
        self.burned += terms.amount
        return "Redeemed", terms.request_id, terms.holder, terms.amount

    def cancel(self, sender: str, request_id: str, *, approvers: set[str]) -> Told:
        _refuse(sender not in approvers, "AccessControlUnauthorizedAccount")
        _refuse(request_id not in self.pending, "RedeemNotPending")
        _refuse(self.paused, "EnforcedPause")
        redeem = self.pending.pop(request_id)
        self.balances[redeem.holder] += redeem.amount
        return "RedeemCancelled", request_id, redeem.holder, redeem.amount

    def transfer(self, sender: str, to: str, amount: int) -> None:
        _refuse(self.paused, "EnforcedPause")
        self._account(sender)
        self._account(to)
        _refuse(self.balances[sender] < amount, "ERC20InsufficientBalance")
        _refuse(to == self.address and amount > 0, "NotARedeem")
        self.balances[sender] -= amount
        self.balances[to] += amount

    def transfer_from(self, spender: str, owner: str, to: str, amount: int) -> None:
        _refuse(spender in self.frozen, "AccountFrozen")
        _refuse(self.allowances[owner, spender] < amount, "ERC20InsufficientAllowance")
        self.transfer(owner, to, amount)
        self.allowances[owner, spender] -= amount

    def administer(self, sender: str) -> None:
        _refuse(sender != ADMIN, "AccessControlUnauthorizedAccount")

    def _relayed(self, sender: str) -> None:
        _refuse(self.paused, "EnforcedPause")
        _refuse(sender not in self.relayers, "AccessControlUnauthorizedAccount")

    def _use(self, request_id: str, account: str, nonce: int, approved: bool) -> None:
        _refuse(request_id in self.processed, "RequestAlreadyProcessed")
        _refuse((account, nonce) in self.nonces, "NonceAlreadyUsed")
        _refuse(not approved, "InvalidApproval")

    def _account(self, account: str) -> None:
        if account != self.address:
            _refuse(account in self.frozen, "AccountFrozen")
            _refuse(account not in self.known, "NotVerified")


def _refuse(when: bool, error: str) -> None:
    if when:
        raise Refusal(error)
