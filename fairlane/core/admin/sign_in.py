"""The back office has no sign-in of its own: the site's one is throttled, and one is enough."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse


def sign_in(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Send people to the site's sign-in, and those who are no staff away.

    Raises:
        PermissionDenied: somebody is signed in who may not be here.
    """
    home = reverse("admin:index")
    if admin.site.has_permission(request):
        return HttpResponseRedirect(home)
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", home))


admin.site.index_title = "Dashboard"
admin.site.login = sign_in  # type: ignore[method-assign]
