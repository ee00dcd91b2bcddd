"""Who may look at the service from outside: its health in full, its metrics, its queues."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

from fairlane.core import auth, credentials, throttling
from fairlane.core.errors import Problem

SCOPE = "metrics:read"


def require(request: HttpRequest) -> None:
    """Let pass whoever asks from one of MONITORING_NETWORKS, has the scope, or is staff.

    Raises:
        Problem: 401 or 403, it is nobody of them.
    """
    # Behind a proxy that nobody told us of, everybody has its address.
    unknown_proxy = "X-Forwarded-For" in request.headers and not settings.TRUSTED_PROXIES
    if unknown_proxy or not is_near(throttling.address_of_request(request)):
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            raise Problem(403, "https_required", "This needs HTTPS")
        auth.authenticate(credentials.from_request(request)).require(SCOPE)


def is_near(address: str) -> bool:
    """Whether an address is in one of the networks."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in settings.MONITORING_NETWORKS)
