from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Swap orders: route, build, submit, confirm."""

    name = "orders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from orders import stages

        stages.register()
