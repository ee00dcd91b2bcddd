"""The kernel as a Django app."""

from importlib import import_module

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Rows and commands of the kernel."""

    name = "fairlane.core"
    label = "core"

    def ready(self) -> None:
        """Make the Celery app known, connect its signals, describe callers to OpenAPI."""
        import_module("fairlane.celery")
        import_module("fairlane.core.gauges")
        import_module("fairlane.core.task_signals")
        import_module("fairlane.core.rest.schema")
