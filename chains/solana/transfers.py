"""Transactions of plain token transfers: pulls of escrow into a vault, and payouts out of it.

A transaction holds as many transfers as fit, and all of them happen or none: one bad transfer
keeps its whole packet from landing. `blamed` names it from the error of a dry run or of the chain,
so that the others can be packed again without it.

The same packet and blockhash give the same bytes, so what was stored can be sent again. The memo
carries the packet's reference: on chain, a packet can be counted. It comes first, because accounts
of Token-2022 may refuse what follows none: such an owner is paid by a packet of one transfer.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import Message
from solders.pubkey import Pubkey

from chains.ports import LandedTransaction, WalletKeys
from chains.solana import programs
from chains.solana.swap import (
    MAX_TRANSACTION_BYTES,
    MEMO_PREFIX,
    Token,
    token_account,
    transaction_signature,
)

# Upper bounds, so that no packet runs out: a checked Token-2022 transfer uses up to some 15,000,
# creating an account some 30,000 and 1,500 more for each address that has to be tried.
_TRANSFER_UNITS = 20_000
_CREATE_UNITS = 60_000
_MEMO_UNITS = 40_000
MAX_UNITS = 1_400_000  # the cluster's limit for one transaction

_LEADING_INSTRUCTIONS = 3  # two of the compute budget, and the memo
_RENT_IS_LACKING = {"Custom": 1}  # the system program's error, passed on
_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Transfer:
    """Move `amount` base units between two token accounts.

    Attributes:
        create_for: the wallet whose associated account the destination is, to be created where
            it does not exist; None where it is known to exist.
    """

    token: Token
    amount: int
    source: str
    destination: str
    create_for: str | None = None


@dataclass(frozen=True, slots=True)
class Packet:
    """The transfers of one transaction.

    Attributes:
        payer: pays fee and rent; its signature names the transaction.
        authority: the wallet that may spend from every source, as owner or as delegate.
        unit_price: micro-lamports per compute unit.
        unit_limit: compute units asked for, as a dry run showed; None for `unit_limit()`, which is
            always enough.
    """

    payer: str
    authority: str
    transfers: Sequence[Transfer]
    reference: str
    unit_price: int = 0
    unit_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction, ready to be stored and sent."""

    signature: str
    raw: bytes


def pull(token: Token, *, owner: str, vault: str, amount: int) -> Transfer:
    """Escrow out of `owner`'s associated account into the token account `vault`."""
    return Transfer(token, amount, source=token_account(owner, token), destination=vault)


def payout(token: Token, *, vault: str, owner: str, amount: int, create: bool = False) -> Transfer:
    """From the token account `vault` to `owner`, whose account exists unless it is to `create`."""
    destination = token_account(owner, token)
    return Transfer(token, amount, vault, destination, create_for=owner if create else None)


def pack(
    transfers: Sequence[Transfer], *, payer: str, authority: str, reference_length: int
) -> Iterator[Sequence[Transfer]]:
    """The transfers in the order given, cut where a transaction is full.

    Args:
        reference_length: of the references that the packets will get, in bytes.

    Raises:
        ValueError: a single transfer does not fit.
    """
    reference = "x" * reference_length
    packed: list[Transfer] = []
    for transfer in transfers:
        grown = [*packed, transfer]
        if not _fits(Packet(payer, authority, grown, reference)):
            if not packed:
                raise ValueError("a transfer does not fit into a transaction")
            yield packed
            grown = [transfer]
            if not _fits(Packet(payer, authority, grown, reference)):
                raise ValueError("a transfer does not fit into a transaction")
        packed = grown
    if packed:
        yield packed


def unit_limit(transfers: Sequence[Transfer]) -> int:
    """Compute units that are enough for the transfers and their memo."""
    created = sum(transfer.create_for is not None for transfer in transfers)
    return _MEMO_UNITS + _TRANSFER_UNITS * len(transfers) + _CREATE_UNITS * created


def build(packet: Packet, *, blockhash: str) -> bytes:
    """The serialized message of `packet`: what payer and authority sign.

    Raises:
        ValueError: an address or the blockhash is malformed.
        OverflowError: an amount does not fit an on-chain integer.
    """
    return bytes(_message(packet, Hash.from_string(blockhash)))


def sign(message: bytes, keys: WalletKeys) -> Signed:
    """Sign for every wallet that `message` asks for.

    Raises:
        Definitive: a wallet's key is not held.
    """
    parsed = Message.from_bytes(message)
    signers = parsed.account_keys[: parsed.header.num_required_signatures]
    signatures = [keys.sign(str(signer), message) for signer in signers]
    raw = bytes((len(signatures),)) + b"".join(signatures) + message
    return Signed(transaction_signature(signatures[0]), raw)


def blamed(err: object, transfers: Sequence[Transfer]) -> int | None:
    """The index of the transfer that made the packet fail; None where none of them did.

    A payer that lacks the rent of a new account, and a compute limit that is too low, are nobody's.
    """
    match err:
        case {"InstructionError": [int(_), "ComputationalBudgetExceeded"]}:
            return None
        case {"InstructionError": [int(failed), detail]}:
            pass
        case _:
            return None
    first = _LEADING_INSTRUCTIONS
    for position, transfer in enumerate(transfers):
        creates = transfer.create_for is not None
        if creates and failed == first and detail == _RENT_IS_LACKING:
            return None
        following = first + 1 + creates
        if first <= failed < following:
            return position
        first = following
    return None


def differences(
    transaction: LandedTransaction,
    transfers: Sequence[Transfer],
    *,
    at_least: Collection[str] = (),
) -> Mapping[str, tuple[int, int]]:
    """Where the transaction's own balances contradict the transfers.

    Args:
        at_least: token accounts that may get more than the transfers give them. An owner's may:
            wrapped SOL that is created counts the lamports that somebody has sent there before.

    Returns:
        By token account, the change expected and the change that was; empty where every transfer
        moved exactly its amount or, for a transaction that failed, where nothing moved. A mint
        that takes a fee of transfers shows up here.
    """
    expected: Counter[str] = Counter()
    if transaction.err is None:
        for transfer in transfers:
            expected[transfer.source] -= transfer.amount
            expected[transfer.destination] += transfer.amount
    actual = {b.account: b.after - b.before for b in transaction.balances}
    return {
        account: (expected[account], actual.get(account, 0))
        for account in sorted(expected.keys() | actual.keys())
        if _differs(expected[account], actual.get(account, 0), account in at_least)
    }


def _differs(expected: int, actual: int, more_is_fine: bool) -> bool:
    return actual < expected if more_is_fine else actual != expected


def _fits(packet: Packet) -> bool:
    message = _message(packet, Hash.default())
    signed = 1 + _SIGNATURE_BYTES * message.header.num_required_signatures + len(bytes(message))
    return signed <= MAX_TRANSACTION_BYTES and unit_limit(packet.transfers) <= MAX_UNITS


def _message(packet: Packet, blockhash: Hash) -> Message:
    payer, authority = Pubkey.from_string(packet.payer), Pubkey.from_string(packet.authority)
    limit = unit_limit(packet.transfers) if packet.unit_limit is None else packet.unit_limit
    instructions = [
        set_compute_unit_limit(limit),
        set_compute_unit_price(packet.unit_price),
        programs.memo(MEMO_PREFIX + packet.reference),
    ]
    for transfer in packet.transfers:
        instructions += _instructions(transfer, payer, authority)
    return Message.new_with_blockhash(instructions, payer, blockhash)


def _instructions(transfer: Transfer, payer: Pubkey, authority: Pubkey) -> Iterator[Instruction]:
    token = transfer.token
    program = programs.token_program(token2022=token.token2022)
    mint = Pubkey.from_string(token.mint)
    destination = Pubkey.from_string(transfer.destination)
    if transfer.create_for is not None:
        owner = Pubkey.from_string(transfer.create_for)
        yield programs.create_token_account(
            payer=payer, address=destination, owner=owner, mint=mint, program=program
        )
    yield programs.transfer_checked(
        program=program,
        source=Pubkey.from_string(transfer.source),
        mint=mint,
        destination=destination,
        authority=authority,
        amount=transfer.amount,
        decimals=token.decimals,
    )
