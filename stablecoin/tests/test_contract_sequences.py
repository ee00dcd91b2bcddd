"""Random sequences of what anybody may try, on the shipped contract and on a model of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sandbox.evm import HOLDERS, OUTSIDER
from stablecoin.profiles import MintTerms, RedeemTerms
from stablecoin.tests.contract_model import Model, Refusal
from stablecoin.tests.deployed import (
    ADMIN,
    APPROVER,
    PER_TRANSACTION,
    RELAYER,
    TOTAL,
    A,
    Deployed,
    Told,
    signer,
)
from stablecoin.tests.outside import TOKEN

T = TypeVar("T")

PEOPLE = [HOLDERS[0].address, HOLDERS[1].address, OUTSIDER.address]
# Most of what is tried is right, so that sequences come far.
people = st.sampled_from([*PEOPLE[:2] * 3, PEOPLE[2]])
senders = st.sampled_from([*[RELAYER] * 9, *PEOPLE, ADMIN])
some = st.integers(1, TOKEN)
edges = st.sampled_from([0, 1, PER_TRANSACTION, PER_TRANSACTION + 1, 2**256 - 1])
amounts = st.one_of(some, some, some, some, edges)
approved = st.sampled_from([True] * 6 + [False])
# The contract itself, whose address is known when there is one.
here = st.just("")
index = st.integers(0, 50)
APPROVE, FORGE = signer(APPROVER), signer(OUTSIDER)


class Sequences(RuleBasedStateMachine):
    """Steps; each is taken or refused by both in the same way, and afterwards both agree."""

    deployed: Deployed

    def __init__(self) -> None:
        super().__init__()
        self.snapshot = self.deployed.rpc("evm_snapshot")
        known = {holder.address for holder in HOLDERS}
        self.model = Model(self.deployed.address, PER_TRANSACTION, TOTAL, known)
        self.mints: list[MintTerms] = []
        self.redeems: list[RedeemTerms] = []
        self.told: list[Told] = []

    def teardown(self) -> None:
        assert self.deployed.rpc("evm_revert", self.snapshot)

    @initialize()
    def give(self) -> None:
        for holder in PEOPLE[:2]:
            self._mint(RELAYER, self.deployed.mint_terms(holder, 5 * TOKEN), True)

    # Mints

    @rule(to=people, amount=some)
    def mint_as_approved(self, to: str, amount: int) -> None:
        self.mint(RELAYER, to, amount, True)

    @rule(
        sender=senders,
        to=st.one_of(people, people, here),
        amount=amounts,
        approved=approved,
    )
    def mint(self, sender: str, to: str, amount: int, approved: bool) -> None:
        to = to or self.deployed.address
        terms = self.deployed.mint_terms(to, amount)
        self.mints.append(terms)
        self._mint(sender, terms, approved)

    @precondition(lambda self: self.mints)
    @rule(nth=index, sender=senders)
    def mint_again(self, nth: int, sender: str) -> None:
        self._mint(sender, _pick(self.mints, nth), True)

    @precondition(lambda self: self.mints)
    @rule(nth=index, to=people, fresh=st.booleans())
    def mint_under_a_used_name_or_nonce(self, nth: int, to: str, fresh: bool) -> None:
        used, terms = _pick(self.mints, nth), self.deployed.mint_terms(to)
        changed = {"nonce": used.nonce} if fresh else {"request_id": used.request_id}
        self._mint(RELAYER, replace(terms, **changed), True)

    @rule(to=people, amount=st.integers(1, TOKEN))
    def mint_more_than_was_approved(self, to: str, amount: int) -> None:
        terms = self.deployed.mint_terms(to, amount)
        signature = APPROVE(A.mint_digest(self.deployed.domain, terms))
        more = replace(terms, amount=amount + 1)
        self._do(
            RELAYER,
            A.mint_call(more, signature),
            lambda: self.model.mint(RELAYER, more, approved=False),
        )

    @precondition(lambda self: self.redeems)
    @rule(nth=index, to=people)
    def mint_under_a_redeems_name(self, nth: int, to: str) -> None:
        name = _pick(self.redeems, nth).request_id
        self._mint(RELAYER, replace(self.deployed.mint_terms(to), request_id=name), True)

    # Redeems

    @rule(holder=people, amount=amounts)
    def redeem(self, holder: str, amount: int) -> None:
        data = self.deployed.call("requestRedeem", amount)
        told = self._do(holder, data, lambda: self.model.check_redeem(holder, amount))
        if told:
            name = str(told[0][1])
            assert name not in self.model.asked | self.model.processed
            assert told == [self.model.redeem(name, holder, amount)]
            self.redeems.append(self.deployed.redeem_terms(name, holder, amount))

    @rule(holder=people, amount=some)
    def redeem_some(self, holder: str, amount: int) -> None:
        self.redeem(holder, amount)

    @precondition(lambda self: self.redeems)
    @rule()
    def finalize_the_newest(self) -> None:
        self._finalize(RELAYER, self.redeems[-1], True)

    @precondition(lambda self: self.redeems)
    @rule(nth=index, sender=senders, approved=approved)
    def finalize(self, nth: int, sender: str, approved: bool) -> None:
        self._finalize(sender, _pick(self.redeems, nth), approved)

    @precondition(lambda self: self.redeems)
    @rule(nth=index, to=people, more=st.integers(-1, 1))
    def finalize_as_it_was_not_asked_for(self, nth: int, to: str, more: int) -> None:
        terms = _pick(self.redeems, nth)
        self._finalize(RELAYER, replace(terms, holder=to, amount=terms.amount + more), True)

    @precondition(lambda self: self.redeems and self.mints)
    @rule(nth=index, other=index)
    def finalize_with_a_mints_nonce(self, nth: int, other: int) -> None:
        nonce = _pick(self.mints, other).nonce
        self._finalize(RELAYER, replace(_pick(self.redeems, nth), nonce=nonce), True)

    @precondition(lambda self: self.redeems)
    @rule(nth=index, sender=st.sampled_from([APPROVER.address, APPROVER.address, *PEOPLE]))
    def cancel(self, nth: int, sender: str) -> None:
        name = _pick(self.redeems, nth).request_id
        approvers = {APPROVER.address}
        self._do(
            sender,
            self.deployed.call("cancelRedeem", name),
            lambda: self.model.cancel(sender, name, approvers=approvers),
        )

    # Tokens that change hands

    @rule(sender=people, to=st.one_of(people, people, here), amount=amounts)
    def transfer(self, sender: str, to: str, amount: int) -> None:
        to = to or self.deployed.address
        data = self.deployed.call("transfer", to, amount)
        self._do(sender, data, lambda: self.model.transfer(sender, to, amount))

    @rule(owner=people, spender=people, amount=st.integers(0, 2 * TOKEN))
    def approve(self, owner: str, spender: str, amount: int) -> None:
        self.deployed.send(owner, self.deployed.call("approve", spender, amount))
        self.model.allowances[owner, spender] = amount

    @rule(spender=people, owner=people, to=people, amount=st.integers(0, 2 * TOKEN))
    def transfer_from(self, spender: str, owner: str, to: str, amount: int) -> None:
        data = self.deployed.call("transferFrom", owner, to, amount)
        self._do(spender, data, lambda: self.model.transfer_from(spender, owner, to, amount))

    # What the project's own people do, and others try

    @rule(sender=st.sampled_from([ADMIN, ADMIN, *PEOPLE]), account=people)
    def freeze_or_thaw(self, sender: str, account: str) -> None:
        frozen = account not in self.model.frozen
        data = self.deployed.call("setFrozen", account, frozen)
        if self._administer(sender, data):
            self.model.frozen ^= {account}

    @rule(account=people)
    def identify_or_forget(self, account: str) -> None:
        self.deployed.verify(account, verified=account not in self.model.known)
        self.model.known ^= {account}

    @rule(sender=st.sampled_from([ADMIN, *PEOPLE]))
    def pause(self, sender: str) -> None:
        if not self.model.paused and self._administer(sender, self.deployed.call("pause")):
            self.model.paused = True

    @precondition(lambda self: self.model.paused or self.model.frozen or self.model.least)
    @rule()
    def put_in_order(self) -> None:
        if self.model.paused:
            self._administer(ADMIN, self.deployed.call("unpause"))
        for account in self.model.frozen:
            self.deployed.freeze(account, False)
        for account in {*PEOPLE[:2]} - self.model.known:
            self.deployed.verify(account)
        self.set_least(ADMIN, 0)
        self.set_caps(ADMIN, TOTAL)
        self.model.paused, self.model.frozen = False, set()
        self.model.known |= {*PEOPLE[:2]}

    @rule(sender=st.sampled_from([ADMIN, *PEOPLE]), caps=st.sampled_from([0, 1, TOTAL]))
    def set_caps(self, sender: str, caps: int) -> None:
        total = self.model.supply + caps
        if self._administer(sender, self.deployed.call("setCaps", PER_TRANSACTION, total)):
            self.model.total = total

    @rule(sender=st.sampled_from([ADMIN, *PEOPLE]), least=st.sampled_from([0, 2, TOKEN]))
    def set_least(self, sender: str, least: int) -> None:
        if self._administer(sender, self.deployed.call("setMinRedeem", least)):
            self.model.least = least

    @rule(sender=st.sampled_from([ADMIN, *PEOPLE]), account=people)
    def appoint_or_dismiss_a_relayer(self, sender: str, account: str) -> None:
        deed = "revokeRole" if account in self.model.relayers else "grantRole"
        data = self.deployed.call(deed, self.deployed.ask("RELAYER_ROLE"), account)
        if self._administer(sender, data):
            self.model.relayers ^= {account}

    # What holds after every step

    @invariant()
    def both_agree(self) -> None:
        model, accounts = self.model, [self.deployed.address, *PEOPLE]
        questions = [("totalSupply",), ("lockedAmount",), *(("balanceOf", a) for a in accounts)]
        supply, locked, lies_here, *held = self.deployed.ask_all(questions)
        assert (supply, locked, lies_here) == (model.supply, model.locked, model.locked)
        assert held == [model.balances[who] for who in PEOPLE]
        assert sum(held) + model.locked == model.supply

    @invariant()
    def the_events_account_for_the_supply(self) -> None:
        minted = [event for event in self.told if event[0] == "Minted"]
        ended = [e for e in self.told if e[0] in ("Redeemed", "RedeemCancelled")]
        assert sum(int(str(e[3])) for e in minted) == self.model.minted
        assert sum(int(str(e[3])) for e in ended if e[0] == "Redeemed") == self.model.burned
        for events in (minted, ended):
            assert len({event[1] for event in events}) == len(events)

    def _mint(self, sender: str, terms: MintTerms, approved: bool) -> None:
        data = self.deployed.mint_call(terms, APPROVE if approved else FORGE)
        self._do(sender, data, lambda: self.model.mint(sender, terms, approved=approved))

    def _finalize(self, sender: str, terms: RedeemTerms, approved: bool) -> None:
        if terms.amount < 0:
            return
        data = self.deployed.redeem_call(terms, APPROVE if approved else FORGE)
        self._do(sender, data, lambda: self.model.finalize(sender, terms, approved=approved))

    def _administer(self, sender: str, data: bytes) -> bool:
        """Whether it was done, as only the administrator may."""
        refused = _refusal(lambda: self.model.administer(sender))
        if refused:
            assert self.deployed.refusal(sender, data)[0] == refused
        else:
            assert len(self.deployed.send(sender, data)) == 1
        return not refused

    def _do(self, sender: str, data: bytes, deed: Callable[[], Told | None]) -> list[Told]:
        """Do it on both sides; returns what the contract tells of it, if it was done."""
        expected: list[Told | None] = []
        refused = _refusal(lambda: expected.append(deed()))
        if refused:
            assert self.deployed.refusal(sender, data)[0] == refused
            return []
        told = self.deployed.send(sender, data)
        if expected != [None]:
            assert told == expected
        self.told += told
        return told


def _refusal(deed: Callable[[], None]) -> str:
    """The error that the model refuses a deed with; empty where it does it."""
    try:
        deed()
    except Refusal as refusal:
        return str(refusal)
    return ""


def _pick(found: Sequence[T], nth: int) -> T:
    return found[nth % len(found)]


def test_no_sequence_of_calls_breaks_what_the_contract_promises(deployed: Deployed) -> None:
    machine = type("Machine", (Sequences,), {"deployed": deployed})
    run_state_machine_as_test(
        machine,
        settings=settings(
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            max_examples=40,
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
        ),
    )
