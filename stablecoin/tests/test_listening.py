"""The listeners on real parts: of the chain, and of the compliance service."""

import asyncio

import pytest
from eth_account import Account as EthAccount

from chains import registry as adapters
from fairlane.core import switches
from fairlane.core.threads import in_thread
from sandbox.evm import DEPLOYER, HOLDERS, RELAYERS
from stablecoin import ledger, reconciliation, registry
from stablecoin.domains import domain
from stablecoin.listening import cursors, inbox
from stablecoin.listening.kuro import KuroListener
from stablecoin.models import ChainLog, KuroEvent, Reconciliation, Request
from stablecoin.profiles import MintTerms, profile
from stablecoin.tests import driving
from stablecoin.tests.outside import CHAIN, TOKEN, Outside

pytestmark = pytest.mark.django_db(transaction=True)


def mint(outside: Outside, amount: int = 5 * TOKEN) -> str:
    """A mint that is in a block, and no deeper."""
    name = outside.approve(user=HOLDERS[0].address, amount=str(amount))
    driving.hear(outside)
    driving.admit_and_sign()
    driving.relay()
    outside.mine()
    return name


def test_a_listener_that_was_overtaken_changes_nothing(outside: Outside) -> None:
    chain = registry.chains()[CHAIN]
    start = cursors.position(chain)
    driving.listen()
    mint(outside)
    outside.mine(5)
    head = adapters.run(adapters.evm(CHAIN).head())
    with pytest.raises(cursors.Moved):
        cursors.advance(CHAIN, start, head, [], keep_from=0)
    driving.listen()
    driving.listen()
    assert -ledger.balances(CHAIN)["issued"] == 5 * TOKEN


def test_a_mint_that_nobody_asked_for_stops_the_chain(outside: Outside) -> None:
    """Whoever holds the approver's key and the relayer's could mint past us: that must show."""
    approver = EthAccount.create()
    role = outside.token.functions.APPROVER_ROLE().call()
    outside.transact(DEPLOYER, outside.token.functions.grantRole(role, approver.address))
    chain = registry.chains()[CHAIN]
    terms = MintTerms("foreign", HOLDERS[2].address, 7 * TOKEN, 1, 2**40, CHAIN)
    words = profile("A").mint_digest(domain(chain), terms)
    signature = EthAccount.unsafe_sign_hash(words, approver.key).signature
    call = outside.token.functions.mintWithApproval(
        terms.request_id, terms.to, terms.amount, terms.nonce, terms.deadline, bytes(signature)
    )
    outside.transact(RELAYERS[CHAIN], call)
    outside.mine(5)
    driving.listen()
    assert ChainLog.objects.get().problem == "nobody here asked for it"
    adapters.run(reconciliation.check(chain, adapters.evm(CHAIN), actor="command:tests"))
    sides = Reconciliation.objects.get()
    assert (sides.supply_on_chain, sides.supply_in_ledger) == (7 * TOKEN, 0)
    assert sides.differs_since is not None
    switches.forget()
    assert not switches.is_on(chain.switch)


def test_a_frame_is_stored_once_and_a_changed_one_stops_its_request(outside: Outside) -> None:
    name = outside.approve(user=HOLDERS[0].address, amount=str(TOKEN))
    (approval,) = outside.pending()
    inbox.store([approval, approval])
    inbox.store([approval])
    assert Request.objects.count() == KuroEvent.objects.count() == 1
    inbox.store([approval | {"amount": str(2 * TOKEN)}])
    contested = driving.request(name)
    assert (contested.status, contested.amount) == ("REVIEW", TOKEN)
    assert KuroEvent.objects.get(outcome="conflict").request_id == name


def test_what_means_nothing_is_kept_with_its_reason(outside: Outside) -> None:
    inbox.store(["[[[", b"\xff\xfe", '{"requestId": "x\\u0000"}', {"requestId": "r", "user": 7}])
    outcomes = set(KuroEvent.objects.values_list("outcome", flat=True))
    assert outcomes == {"rejected"}
    assert KuroEvent.objects.count() == 4
    inbox.store(['{"type":"connection"}'])
    assert KuroEvent.objects.count() == 4


def test_a_chain_that_is_not_served_is_refused(outside: Outside) -> None:
    outside.approve(user=HOLDERS[0].address, amount=str(TOKEN), chainId=5999)
    driving.hear(outside)
    assert KuroEvent.objects.get().reason.startswith("chainId:")
    assert not Request.objects.exists()


def test_the_socket_brings_what_is_approved_while_it_is_open(outside: Outside) -> None:
    async def listen_until_heard() -> None:
        stopping = asyncio.Event()
        running = asyncio.create_task(KuroListener(adapters.compliance(), stopping).run())
        try:
            async with asyncio.timeout(20):
                while not await in_thread(Request.objects.filter(request_id="by-socket").exists)():
                    await asyncio.sleep(0.05)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    outside.approve(user=HOLDERS[0].address, amount=str(TOKEN), requestId="by-socket")
    adapters.run(listen_until_heard())
    assert driving.request("by-socket").status == "RECEIVED"
