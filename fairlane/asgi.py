"""The ASGI application: HTTP, WebSocket, and the lifespan of a web process."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fairlane.settings.sandbox")

django_application = get_asgi_application()

# These need the app registry that the line above has filled.
from django.conf import settings  # noqa: E402

from batches import routes as batches  # noqa: E402
from fairlane.core.lifespan import lifespan  # noqa: E402
from orders import routes as orders  # noqa: E402
from orders.intake import Intake  # noqa: E402
from stablecoin import routes as stablecoin  # noqa: E402

websocket_routes = orders.websocket_routes
if settings.EVM_CHAINS:
    websocket_routes = [*websocket_routes, *stablecoin.websocket_routes]
if settings.BATCHES_KEYS_DIR:
    websocket_routes = [*websocket_routes, *batches.websocket_routes]

application = ProtocolTypeRouter(
    {
        "http": Intake(otherwise=django_application),  # type: ignore[arg-type]
        "websocket": URLRouter(websocket_routes),
        "lifespan": lifespan,
    }
)
