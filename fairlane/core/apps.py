"""The kernel as a Django app."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Rows and commands of the kernel."""

    name = "fairlane.core"
    label = "core"
