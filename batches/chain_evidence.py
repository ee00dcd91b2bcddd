"""The verdict on a batch by its published bytes and by the chain."""

from batches import chain_reading, publication, verify
from batches.evidence import Evidence
from batches.models import Batch
from batches.verification import Verdict
from chains import registry as adapters


def verdict(batch: Batch) -> Verdict:
    """The verdict on a batch by the chain as the node of the settings has it.

    Raises:
        Problem: 404, it is not published yet.
    """
    published = publication.bundle(batch)
    earlier = publication.earlier(batch, published)
    found = adapters.run(chain_reading.read(adapters.solana(), published, earlier))
    evidence = Evidence(earlier, found.transactions, found.listing, is_first=not earlier)
    return verify.judge(bytes(published), evidence)
