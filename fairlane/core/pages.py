"""Pages for people who signed in."""

from typing import cast

from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.views.generic import TemplateView

from fairlane.core.auth import principal_of_user
from fairlane.core.principals import Principal


class Page(LoginRequiredMixin, TemplateView):
    """A page for people who signed in."""

    @property
    def principal(self) -> Principal:
        """The person the page is for."""
        return principal_of_user(cast(User, self.request.user))
