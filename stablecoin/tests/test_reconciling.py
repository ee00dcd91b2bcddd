"""The chain against the ledger: a difference that was made on purpose, past Fairlane."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from eth_account import Account as EthAccount
from structlog.testing import capture_logs

from chains import registry as adapters
from fairlane.core import switches
from fairlane.core.models import AuditEntry
from sandbox import evm
from sandbox.evm import DEPLOYER, HOLDERS
from stablecoin import reconciliation, registry
from stablecoin.domains import domain
from stablecoin.models import Reconciliation, Request, Transaction
from stablecoin.profiles import MintTerms, profile
from stablecoin.tests import driving
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)


def mint_past_fairlane(outside: Outside, amount: int) -> None:
    """A second approver and a second relayer, who know nothing of it."""
    approver, relayer = EthAccount.create(), HOLDERS[7]
    contract = outside.token.functions
    approves, relays = contract.APPROVER_ROLE().call(), contract.RELAYER_ROLE().call()
    outside.transact(DEPLOYER, contract.grantRole(approves, approver.address))
    outside.transact(DEPLOYER, contract.grantRole(relays, relayer.address))
    terms = MintTerms("past-fairlane", HOLDERS[2].address, amount, 1, 2**40, CHAIN)
    words = profile("A").mint_digest(domain(registry.chains()[CHAIN]), terms)
    signature = EthAccount.unsafe_sign_hash(words, approver.key).signature
    outside.transact(
        relayer,
        contract.mintWithApproval(
            terms.request_id, terms.to, terms.amount, terms.nonce, terms.deadline, bytes(signature)
        ),
    )


@pytest.fixture
def books(outside: Outside) -> Outside:
    """Three tokens were minted as they should, and entered."""
    outside.approve(user=HOLDERS[0].address, amount=str(3 * TOKEN))
    driving.hear(outside)
    driving.admit_and_sign()
    driving.complete(outside)
    return outside


def test_chain_and_ledger_that_agree_are_told_so(books: Outside) -> None:
    out = io.StringIO()
    call_command("reconcile", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert told["agree"] is True
    assert told["supply_on_chain"] == told["supply_in_ledger"] == str(3 * TOKEN)
    assert Reconciliation.objects.get().differs_since is None


def test_a_difference_is_printed_with_both_sides_and_pauses_the_chain(books: Outside) -> None:
    (waits,) = driving.signed(books)
    mint_past_fairlane(books, 7 * TOKEN)
    books.mine(5)
    with capture_logs() as told:
        driving.listen()
    out = io.StringIO()
    with pytest.raises(CommandError, match=f"differ: {CHAIN}"):
        call_command("reconcile", stdout=out)
    assert "DIFFER" in out.getvalue()
    assert f"supply {10 * TOKEN} on chain, {3 * TOKEN} in the ledger" in out.getvalue()
    assert "stablecoin.difference" in {entry["event"] for entry in told}
    sides = Reconciliation.objects.get()
    assert (sides.supply_on_chain, sides.supply_in_ledger) == (10 * TOKEN, 3 * TOKEN)
    assert sides.differs_since is not None
    switch = f"stablecoin.chain.{CHAIN}"
    assert not switches.is_on(switch)
    entry = AuditEntry.objects.get(action="switch.set")
    assert (entry.actor, entry.object) == ("command:listen_evm", f"switch:{switch}")
    driving.relay()
    assert Request.objects.get(id=waits.id).status == "SIGNED"
    assert not Transaction.objects.filter(request=waits).exists()


def test_a_difference_that_lasts_is_told_once_and_stays_since_then(books: Outside) -> None:
    mint_past_fairlane(books, TOKEN)
    books.mine(5)
    driving.listen()
    chain, node = registry.chains()[CHAIN], adapters.evm(CHAIN)
    adapters.run(reconciliation.check(chain, node, actor="command:tests"))
    since = Reconciliation.objects.get().differs_since
    # People let it go on, and know why: it is not paused again behind their backs.
    switches.set_switch(name=chain.switch, on=True, by="user:ada", reason="it is explained")
    with capture_logs() as told:
        adapters.run(reconciliation.check(chain, node, actor="command:tests"))
    assert told == []
    assert Reconciliation.objects.get().differs_since == since
    assert switches.is_on(chain.switch)


def test_a_chain_out_of_reach_is_no_difference(books: Outside) -> None:
    for node in ("a", "b"):
        evm.knobs(books.evm.url, CHAIN, node, down=True)
    with pytest.raises(CommandError, match="could not be read"):
        call_command("reconcile", stdout=io.StringIO())
    switches.forget()
    assert switches.is_on(f"stablecoin.chain.{CHAIN}")
