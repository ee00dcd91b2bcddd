from django.apps import AppConfig
from django.conf import settings


class StablecoinConfig(AppConfig):
    """Mint and redeem: from the compliance service's approval to the final block."""

    name = "stablecoin"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chains import registry as adapters
        from fairlane.core import metrics, schedule
        from stablecoin import books, gauges, periodic, stages

        stages.register()
        schedule.own("stablecoin.")
        adapters.on_signature(metrics.observe_signature)
        if settings.EVM_CHAINS:
            periodic.declare()
            gauges.register_parts()
            books.register()
