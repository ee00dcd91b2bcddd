"""What a batch takes over from those before it: its orders, its reference, its pool's reserves.

Each header names the hash of the one that its market committed to before, so that a batch proves
all those before it: their headers, and with these their orders. A bundle that is beside this chain
proves what it says if its own anchor does. What neither proves accuses nobody: at most something is
missing.

*Age* counts the batches that an order was in before, whether they executed or rolled. It has one
more in each, and an order that leaves the book never comes back. So of an order that is here with
age `a` and `r` lots, and was in an earlier batch with age `b`, which left `l` of it:

| here | earlier | verdict |
|---|---|---|
| for one batch alone | `a` above 0, or less than the whole | VIOLATION by itself |
| for one batch alone | there at all | VIOLATION |
| another receipt | there | VIOLATION |
| `a` <= `b` | there | VIOLATION |
| `a` = `b` + 1 | `r` = `l` | holds: this was its last batch |
| `a` = `b` + 1 | `r` is not `l` | VIOLATION |
| `a` > `b` + 1 | `r` > `l` | VIOLATION |
| `a` > 0 | none with `b` = `a` - 1 | UNCERTAIN: its last batch is missing |
| `a` = 0 | `r` is less than the whole | VIOLATION by itself |
| `a` = 0 | in none, of all those closed since its receipt | holds |
| `a` = 0 | one of those is missing | UNCERTAIN |

What an earlier batch *came to* is one of the outcomes that its commitment allows, and nothing where
it was not anchored in time (`batches/past.py`). What holds for some of them only is not told.
"""

from dataclasses import dataclass

from batches import band, payments
from batches.bundle import Bundle
from batches.evidence import Broken, Findings, Missing
from batches.leaves import Leaves
from batches.past import History, Outcome, Past
from batches.records import NO_HEADER, Header, Leaf, TimeInForce


@dataclass(frozen=True, slots=True)
class Needs:
    """What a batch takes over, and from how far back.

    Attributes:
        waited: orders that were in a batch before, with the age that they had there.
        receipt: the number of the oldest receipt of those that were in none; None without any.
        follows: the number of the batch that the reference comes out of.
        pool: whether it names reserves.
        header: whether the batch before is one of them.
    """

    waited: frozenset[tuple[bytes, int]]
    receipt: int | None
    follows: int
    pool: bool
    header: bool

    def __bool__(self) -> bool:
        """Whether anything is open."""
        rest = self.receipt is not None, self.follows > 0, self.pool, self.header
        return bool(self.waited) or any(rest)

    def without(self, earlier: Bundle) -> "Needs":
        """What is open when this batch is at hand, and all between."""
        header = earlier.header
        receipt = self.receipt
        return Needs(
            self.waited - {(leaf.order.hash, leaf.age) for leaf in earlier.leaves},
            None if receipt is None or header.last_seq < receipt else receipt,
            0 if header.batch_no <= self.follows else self.follows,
            self.pool and not header.pool_base,
            header=False,
        )


def needs(bundle: Bundle) -> Needs:
    """What has to be known of earlier batches to check everything that this one takes over."""
    new = [leaf.receipt_seq for leaf in bundle.leaves if leaf.age == 0]
    has_before = bundle.header.previous != NO_HEADER
    return Needs(
        payments.unexplained(bundle).union(
            (leaf.order.hash, leaf.age - 1) for leaf in bundle.leaves if leaf.age
        ),
        min(new) if new and has_before else None,
        bundle.header.follows,
        bundle.header.pool_base > 0 and has_before,
        has_before,
    )


def takes_over(bundle: Bundle, history: History, *, is_first: bool) -> Findings:
    """Whether everything is what the batches before have left.

    Args:
        is_first: whether the market is known to have none.
    """
    yield from _chained(bundle.header, history, is_first)
    yield from _orders(bundle, history)
    yield from _reference(bundle.header, history)
    yield from _reserves(bundle.header, history)


def _chained(header: Header, history: History, is_first: bool) -> Findings:
    if header.previous == NO_HEADER:
        if header.follows:
            yield Broken("the first batch of the market has a reference out of another one")
        if not is_first:
            yield Missing("that the market has no batch before this one")
    if history.chain and history.chain[0].header.batch_no >= header.batch_no:
        yield Broken("the batch before is not before it")
    if not history.chain and history.gap is not None:
        yield history.missing
    # Whatever the chain reaches beyond, it has left out.
    for past in history.beside:
        number = past.header.batch_no
        if history.gap is None or number >= history.reached:
            yield past.accuses(f"the market's headers leave out batch {number}")


def _orders(bundle: Bundle, history: History) -> Findings:
    pasts = list(history.all)
    covered = _covered(history)
    is_open = False
    for leaf in bundle.leaves:
        hash_ = leaf.order.hash
        name = f"order {hash_.hex()}"
        was_in = [past for past in pasts if hash_ in past.leaves]
        for past in was_in:
            yield from _contradictions(name, leaf, past)
        if leaf.age == 0:
            is_open = is_open or (covered is not None and leaf.receipt_seq <= covered)
        elif not any(past.leaves[hash_].age == leaf.age - 1 for past in was_in):
            where = "" if history.gap is None else f", which is before {history.reached}"
            yield Missing(f"the batch that {name} was in last{where}")
    if is_open:
        yield history.missing


def _covered(history: History) -> int | None:
    """The last receipt whose order may be in a batch that is not at hand; None if all are."""
    if history.gap is None:
        return None
    return history.chain[-1].header.last_seq if history.chain else 2**32


def _contradictions(name: str, leaf: Leaf, past: Past) -> Findings:
    """What is wrong with an order, by a batch that it was in; see the table above."""
    number, before = past.header.batch_no, past.leaves[leaf.order.hash]
    if leaf.order.time_in_force is TimeInForce.ONE_BATCH:
        yield past.accuses(f"{name} was for batch {number} alone")
    elif leaf.receipt_seq != before.receipt_seq:
        yield past.accuses(f"{name} had another receipt in batch {number}")
    elif leaf.age <= before.age:
        yield past.accuses(f"{name} has waited no longer than in batch {number}")
    else:
        holds = past.tells(lambda outcome: _may_be_left(leaf, before, outcome))
        if holds is None:
            yield Missing(f"what batch {number} came to, on which {name} depends")
        elif not holds:
            yield past.accuses(f"{name} is not what batch {number} left of it")


def _may_be_left(leaf: Leaf, before: Leaf, outcome: Outcome) -> bool:
    left = before.remaining - outcome.lots.get(leaf.order.hash, 0)
    return leaf.remaining == left if leaf.age == before.age + 1 else leaf.remaining <= left


def _reference(header: Header, history: History) -> Findings:
    before = history.chain[0].header if history.chain else None
    if before is not None:
        if header.collar_bps != before.collar_bps:
            yield Broken("the market's collar is another one than in the batch before")
        if header.follows < before.follows:
            yield Broken("the reference is older than in the batch before")
    if header.follows:
        yield from _followed(header, history)
    elif before is not None and before.reference != header.reference:
        yield Broken("the reference was set anew")


def _followed(header: Header, history: History) -> Findings:
    number = header.follows
    past = next((each for each in history.all if each.header.batch_no == number), None)
    if past is None:
        if _is_passed(number, history):
            yield Broken(f"the reference comes out of batch {number}, which there is none of")
        else:
            yield Missing(f"batch {number}, which the reference comes out of")
    elif past.executed is False:
        yield past.accuses(f"the reference comes out of batch {number}, which did not execute")
    else:
        holds = past.tells(lambda o: header.reference == _after(past, o), executed=True)
        if holds is None:
            yield Missing(f"what batch {number} came to, on which the reference depends")
        elif not holds:
            yield past.accuses(f"the reference does not follow from batch {number}")


def _is_passed(number: int, history: History) -> bool:
    """Whether the chain has gone beyond where a batch would be."""
    return history.gap is None or history.reached < number


def _after(past: Past, outcome: Outcome) -> int:
    leaves = Leaves.of(past.bundle.leaves)
    return band.following(past.header, price=outcome.result.price, leaves=leaves)


def _reserves(header: Header, history: History) -> Findings:
    """Reserves change by what the pool trades, and by what is put in or taken out, which no bundle
    tells of."""
    if not header.pool_base:
        return
    past = next((each for each in history.chain if each.header.pool_base), None)
    if past is None:
        if history.gap is not None:
            yield history.missing
        return
    named, number = (header.pool_base, header.pool_quote), past.header.batch_no
    holds = past.tells(lambda outcome: named == _left_in_pool(past.header, outcome))
    if holds is None:
        yield Missing(f"what batch {number} came to, on which the pool depends")
    elif not holds:
        yield Missing(f"what was put into the pool or taken out since batch {number}")


def _left_in_pool(header: Header, outcome: Outcome) -> tuple[int, int]:
    result = outcome.result
    sold, got = result.pool_lots * header.lot, result.pool_quote
    return header.pool_base - sold, header.pool_quote + (got if sold > 0 else -got)
