"""What operators do to orders; the services decide whether it may be done."""

from uuid import UUID

from fairlane.core.admin.deeds import Deed
from fairlane.core.principals import Principal
from orders import services


def _retry(key: str, by: Principal, reason: str) -> str:
    order = services.retry(order_id=UUID(key), by=by, reason=reason)
    if str(order.id) == key:
        return f"{key} goes on as {order.status}."
    return f"{key} is sent again as {order.id}."


def _cancel(key: str, by: Principal, reason: str) -> str:
    services.cancel(order_id=UUID(key), by=by, reason=reason)
    return f"{key} is cancelled."


def _fail(key: str, by: Principal, reason: str) -> str:
    services.fail_review(order_id=UUID(key), by=by, reason=reason)
    return f"{key} is ended as failed."


RETRY = Deed(
    "Retry",
    "A failed order is sent again as a new order; one under review goes on where it stands.",
    _retry,
)
LET_GO_ON = Deed(
    "Let go on",
    "The order goes on where it stands: a signed transaction is looked up, never signed anew.",
    _retry,
)
CANCEL = Deed(
    "Cancel", "The order ends without being executed, if nobody has signed for it.", _cancel, True
)
FAIL = Deed(
    "Fail", "The order under review ends as failed, if no transaction of it can land.", _fail, True
)
