from django.apps import AppConfig
from django.conf import settings


class BatchesConfig(AppConfig):
    """Fair batches: planned, reserved, committed to, cleared at one price, settled, proven."""

    name = "batches"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from batches import gauges, periodic, reconciliation, stages
        from fairlane.core import schedule

        stages.register()
        schedule.own("batches.")
        if settings.BATCHES_KEYS_DIR:
            periodic.declare()
            gauges.register_parts()
            reconciliation.register()
