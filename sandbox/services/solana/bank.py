"""The bank: one machine, its chain of blocks, and the ledger they survive in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from solders.account import Account
from solders.clock import Clock
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from . import genesis
from .chain import RETAINED_BLOCKS, Block, Chain, Commitment
from .execution import Executed, Rejected, execute
from .faults import Faults
from .history import History
from .ledger import Header, Image, Ledger, State
from .performance import Performance


class Bank:
    """Executes transactions at once, into the block that is open."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        genesis_file: Path,
        programs: Path | None,
        finality: int,
        now: float,
    ) -> None:
        """Restore the chain of the ledger, or begin it from the genesis file.

        A restart roots what the ledger holds: what led to it is no longer known, so it cannot fork.

        Raises:
            LedgerError: the ledger is damaged.
            GenesisError: the genesis file or a program cannot be loaded.
        """
        self._ledger = ledger
        self.machine: LiteSVM = genesis.new_machine(programs)
        state = ledger.load() or _first_state(genesis_file, int(now))
        state.headers = state.headers[-RETAINED_BLOCKS:]
        genesis.restore(self.machine, list(state.accounts.values()))
        self.genesis_hash = state.genesis_hash
        self.faucet: Keypair = genesis.faucet(self.genesis_hash)
        self.history = History(ledger)
        for offset, head in ledger.start(state):
            self.history.restore(offset, head)
        self.chain = Chain([Block(*header) for header in state.headers], finality)
        self.performance = Performance(now, self.chain.tip.slot, len(self.history))
        self.faults = Faults()
        self.on_executed: Callable[[Executed], None] | None = None
        self._skip = 0
        self._open(now)

    def submit(self, transaction: VersionedTransaction, raw: bytes) -> Executed | Rejected:
        """Execute a transaction into the open block unless it is a duplicate or too old."""
        refusal = self.refusal(transaction)
        if refusal is not None:
            return Rejected(refusal)
        block = self.chain.open
        done = execute(self.machine, transaction, raw, block.slot, block.time)
        if isinstance(done, Rejected):
            return done
        self.history.add(done.head, done.body)
        before, prices, price = block.before, block.prices, done.price
        for key, account in done.before:
            if key not in before:
                before[key] = account
                prices[key] = price
            elif price < prices[key]:
                prices[key] = price
        if self.on_executed is not None:
            self.on_executed(done)
        return done

    def refusal(self, transaction: VersionedTransaction) -> str | None:
        """Why the chain does not take a transaction, before it is executed."""
        if not self.chain.is_valid(str(transaction.message.recent_blockhash), self.chain.open):
            return "BlockhashNotFound"
        if transaction.signatures and self.history.find(str(transaction.signatures[0])) is not None:
            return "AlreadyProcessed"
        return None

    def tick(self, now: float) -> Block | None:
        """Close the open block and open the next; None while skipped slots pass."""
        if self._skip:
            self._skip -= 1
            return None
        closed = self._close(now)
        self._open(now)
        return closed

    def skip(self, slots: int, now: float) -> None:
        """Leave the next `slots` slots without a block.

        The block after them begins at once and lasts for their time too: its slot number runs ahead
        of the clock, and slots per second stay what they are.
        """
        self._close(now)
        self._open(now, slot=self.chain.tip.slot + 1 + slots)
        self._skip = slots

    def fork(self, blocks: int, now: float) -> list[str]:
        """Abandon the last `blocks` unfinalized blocks, the open one being the first of them.

        Accounts, transactions and block height go back to what they were; slot numbers go on, and
        the abandoned blockhashes are valid no more. Returns the signatures that were dropped.
        """
        slot, dropped = self.chain.open.slot, []
        before: dict[Pubkey, Account | None] = {}
        for _ in range(min(blocks, len(self.chain.unrooted))):
            dropped.append(self.chain.drop_tip())
            before.update(dropped[-1].before)
        if not dropped:
            return []
        first = dropped[-1].first
        images = [_image(key, account) for key, account in before.items()]
        genesis.restore(self.machine, images)
        signatures = [self.history.signature(i) for i in range(first, len(self.history))]
        end = self.history.offset(first) if signatures else None
        self.history.forget_from(first)
        self._ledger.rewind(_header(self.chain.tip), images, end)
        self._skip = 0
        self._open(now, slot=slot + 1)
        return signatures

    def account(self, address: Pubkey, commitment: Commitment) -> Account | None:
        """The account as a reader of that commitment sees it."""
        for block in self.chain.above(commitment):
            if address in block.before:
                return block.before[address]
        return self.machine.get_account(address)

    def accounts_of(
        self, program: Pubkey, commitment: Commitment
    ) -> Iterator[tuple[Pubkey, Account]]:
        """All accounts the program owns, as a reader of that commitment sees them."""
        unseen: dict[Pubkey, Account | None] = {}
        for block in self.chain.above(commitment):
            unseen = block.before | unseen
        for address, account in self.machine.get_program_accounts(program):
            if address not in unseen:
                yield address, account
        for address, before in unseen.items():
            if before is not None and before.owner == program:
                yield address, before

    def transactions_of(self, block: Block) -> range:
        """The numbers of the transactions of a retained block."""
        following = next((b.first for b in self.chain.unrooted if b.slot > block.slot), None)
        return range(block.first, len(self.history) if following is None else following)

    def close(self) -> None:
        """Commit the open block, so that a clean stop loses nothing, and release the ledger."""
        self._close(self.chain.open.time)
        self._ledger.close()

    def _close(self, now: float) -> Block:
        """Make the open block durable: from the next block on it counts as confirmed."""
        block = self.chain.open
        images = [_image(key, self.machine.get_account(key)) for key in block.before]
        self._ledger.commit(_header(block), images)
        self.performance.record(now, block.slot, len(self.history))
        return block

    def _open(self, now: float, slot: int | None = None) -> None:
        slot = self.chain.tip.slot + 1 if slot is None else slot
        block = self.chain.append(slot, int(now), len(self.history))
        epoch = genesis.EPOCHS.get_epoch(slot)
        self.machine.set_clock(Clock(slot, 0, epoch, epoch + 1, block.time))


def _first_state(genesis_file: Path, now: int) -> State:
    genesis_hash = genesis.new_genesis_hash()
    images = [genesis.faucet_image(genesis_hash), *genesis.load_accounts(genesis_file)]
    accounts = {image[0]: image for image in images}
    return State(genesis_hash, [(0, 0, genesis_hash, now, 0)], accounts)


def _header(block: Block) -> Header:
    return block.slot, block.height, block.hash, block.time, block.first


def _image(address: Pubkey, account: Account | None) -> Image:
    if account is None:
        return bytes(address), 0, b"", bytes(32), False, 0
    return (
        bytes(address),
        account.lamports,
        account.data,
        bytes(account.owner),
        account.executable,
        account.rent_epoch,
    )
