"""Rows of fair batches. Amounts are atoms of their token, quantities lots, prices ticks."""

from .accounting import Account, VaultBalance, VaultCheck, VaultEntry
from .markets import Batch, Cadence, Lane, Market, SlotReading, Tick
from .orders import BatchFill, BatchOrder, BookEntry
from .reservations import ReceiptCursor, Reservation, ReservationReceipt
from .transfers import Direction, Packet, Transfer

__all__ = [
    "Account",
    "Batch",
    "BatchFill",
    "BatchOrder",
    "BookEntry",
    "Cadence",
    "Direction",
    "Lane",
    "Market",
    "Packet",
    "ReceiptCursor",
    "Reservation",
    "ReservationReceipt",
    "SlotReading",
    "Tick",
    "Transfer",
    "VaultBalance",
    "VaultCheck",
    "VaultEntry",
]
