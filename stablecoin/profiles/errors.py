"""The custom errors of the shipped contract and of what it is built on."""

from eth_utils.crypto import keccak

_SIGNATURES = (
    "RequestAlreadyProcessed(string)",
    "NonceAlreadyUsed(address,uint256)",
    "ApprovalExpired(uint256)",
    "InvalidApproval(address)",
    "NotVerified(address)",
    "AccountFrozen(address)",
    "TransactionCapExceeded(uint256,uint256)",
    "TotalCapExceeded(uint256,uint256)",
    "RequestNamesRedeem(string)",
    "RedeemNotPending(string)",
    "RedeemMismatch(string)",
    "NotARedeem(address,uint256)",
    "RedeemTooSmall(uint256,uint256)",
    "ZeroAmount()",
    "ECDSAInvalidSignature()",
    "ECDSAInvalidSignatureLength(uint256)",
    "ECDSAInvalidSignatureS(bytes32)",
    "EnforcedPause()",
    "AccessControlUnauthorizedAccount(address,bytes32)",
)
_NAMES = {keccak(text=s)[:4]: s.partition("(")[0] for s in _SIGNATURES}

# The contract did it before: only its log can tell what.
ALREADY_DONE = frozenset({"RequestAlreadyProcessed", "RedeemNotPending"})
# Another approval of the same request would be taken.
APPROVAL_OVER = frozenset({"ApprovalExpired", "NonceAlreadyUsed"})
# People undo these.
TEMPORARY = frozenset({"EnforcedPause", "TotalCapExceeded", "AccessControlUnauthorizedAccount"})


def name(data: bytes) -> str | None:
    """The custom error that call data of a refusal begins with."""
    return _NAMES.get(data[:4])
