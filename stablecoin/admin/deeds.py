"""What operators do to requests and transactions; the services decide whether it may be done."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fairlane.core.admin.deeds import Deed
from fairlane.core.principals import Principal
from stablecoin import services


def _on_request(service: Callable[..., Any], done: str) -> Callable[[str, Principal, str], str]:
    def run(key: str, by: Principal, reason: str) -> str:
        request = service(request_id=UUID(key), by=by, reason=reason)
        return f"{request.request_id}: {done} It is {request.status} now."

    return run


def _on_transaction(service: Callable[..., Any], done: str) -> Callable[[str, Principal, str], str]:
    def run(key: str, by: Principal, reason: str) -> str:
        service(transaction_id=int(key), by=by, reason=reason)
        return f"Transaction {key}: {done}"

    return run


AGREE = Deed(
    "Agree",
    "The request goes on once two different people have agreed.",
    _on_request(services.agree, "agreed."),
)
DECLINE = Deed(
    "Decline",
    "The request is rejected for good. A redeem's tokens stay locked until they are given back.",
    _on_request(services.decline, "declined."),
    grave=True,
)
RETRY = Deed(
    "Go on",
    "A failed request is judged and tried anew; one under review goes on where it stands.",
    _on_request(services.retry, "it goes on."),
)
FAIL = Deed(
    "Fail",
    "The request under review ends as failed, if no transaction of it can be mined any more.",
    _on_request(services.fail_review, "ended."),
    grave=True,
)
SPEED_UP = Deed(
    "Speed up",
    "The relayer offers higher fees for the same nonce, up to the cap.",
    _on_transaction(services.speed_up, "higher fees are offered."),
)
CANCEL = Deed(
    "Cancel",
    "The relayer fills the nonce with a transfer of nothing. If the request's own transaction is"
    " mined first, it counts.",
    _on_transaction(services.cancel_transaction, "it is to be replaced by nothing."),
    grave=True,
)
