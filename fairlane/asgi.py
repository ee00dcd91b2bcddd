"""The ASGI application: HTTP, WebSocket, and the lifespan of a web process."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlane.settings.sandbox")

django_application = get_asgi_application()

# These need the app registry that the line above has filled.
from fairlane.core.lifespan import lifespan  # noqa: E402
from orders.intake import Intake  # noqa: E402
from orders.routes import websocket_routes  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": Intake(otherwise=django_application),  # type: ignore[arg-type]
        "websocket": URLRouter(websocket_routes),
        "lifespan": lifespan,
    }
)
