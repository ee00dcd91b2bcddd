"""Whether a batch keeps what signed receipts promise. Pure.

A receipt's order is in the first batch from the one it names on, once its escrow has come, and from
then on until it ends. Nobody but its owner knows all of that, so that an order which is not in
accuses nobody by itself; that two orders got one number, or one order two, does.
"""

from solders.pubkey import Pubkey

from batches.bundle import Bundle
from batches.evidence import Broken, Evidence, Findings, Missing
from batches.receipts import Receipt


def kept(bundle: Bundle, evidence: Evidence) -> Findings:
    """Whether the batch contradicts receipts that are at hand."""
    for signed in evidence.receipts:
        receipt = signed.receipt
        if receipt.market != bundle.header.market:
            yield Missing(f"receipt {receipt.seq} is of another market")
        elif not signed.is_signed(bytes(Pubkey.from_string(bundle.receipt_key))):
            yield Missing(f"receipt {receipt.seq} is not signed by the market's key")
        else:
            yield from _kept(bundle, receipt)


def _kept(bundle: Bundle, receipt: Receipt) -> Findings:
    header, name = bundle.header, f"order {receipt.order_hash.hex()}"
    for leaf in bundle.leaves:
        is_its = leaf.order.hash == receipt.order_hash
        if is_its != (leaf.receipt_seq == receipt.seq):
            other = f"order {leaf.order.hash.hex()} has number {leaf.receipt_seq}"
            yield Broken(f"{name} has the receipt {receipt.seq}, and {other} in the batch")
            return
        if is_its:
            if header.batch_no < receipt.batch_no:
                yield Broken(f"{name} is in before batch {receipt.batch_no}, which it is for")
            return
    if header.batch_no >= receipt.batch_no and header.last_seq >= receipt.seq:
        yield Missing(
            f"why {name} is not in, which receipt {receipt.seq} is for: it is left out, unless its"
            " escrow came too late, its owner cancelled it, or a batch before has ended it"
        )
