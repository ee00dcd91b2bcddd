"""Where a relayer's nonces on chain and here are not the same."""

from collections.abc import Iterator
from uuid import UUID

from chains import registry as adapters
from chains.evm.ports import EvmNode
from stablecoin.models import Relayer, Transaction
from stablecoin.relaying.sending import Signer
from stablecoin.states import OPEN_TRANSACTION


def used(node: EvmNode, signer: Signer, seen: int) -> int:
    """The nonce seen; where it is ahead of the cursor, as far as all providers agree.

    A cursor that one of them has sent too far leaves a gap, and each nonce of it costs gas.

    Raises:
        Transient: the chain is out of reach.
    """
    cursor = Relayer.objects.values_list("next_nonce", flat=True).get(id=signer.relayer_id)
    if seen <= cursor:
        return seen
    return min([seen, *adapters.run(node.nonces(signer.key.address))])


def gaps(relayer: Relayer, nonce: int) -> Iterator[int]:
    """Nonces from the chain's to the cursor that have no transaction.

    What is final has used up every nonce below it, whatever a node says.
    """
    if nonce >= relayer.next_nonce:
        return iter(())
    first = max(nonce, _beyond_final(relayer.id))
    made = Transaction.objects.filter(relayer=relayer, nonce__gte=first)
    taken = set(made.values_list("nonce", flat=True))
    return (n for n in range(first, relayer.next_nonce) if n not in taken)


def _beyond_final(relayer_id: UUID) -> int:
    ended = Transaction.objects.filter(relayer_id=relayer_id).exclude(state__in=OPEN_TRANSACTION)
    last = ended.order_by("-nonce").values_list("nonce", flat=True).first()
    return 0 if last is None else last + 1
