"""Rows of the stablecoin app. Amounts are base units of the token, fees wei."""

from .accounting import Account, LedgerBalance, LedgerEntry, Probe, Reconciliation
from .chains import (
    AddressRule,
    Chain,
    ChainBlock,
    ChainLog,
    ChainState,
    Consent,
    ListenerCursor,
    Usage,
)
from .relaying import Attempt, Relayer, Transaction
from .requests import Approval, Kind, KuroEvent, Request, Source

__all__ = [
    "Account",
    "AddressRule",
    "Approval",
    "Attempt",
    "Chain",
    "ChainBlock",
    "ChainLog",
    "ChainState",
    "Consent",
    "Kind",
    "KuroEvent",
    "LedgerBalance",
    "LedgerEntry",
    "ListenerCursor",
    "Probe",
    "Reconciliation",
    "Relayer",
    "Request",
    "Source",
    "Transaction",
    "Usage",
]
