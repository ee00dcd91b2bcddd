"""Paths of the whole site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from batches import routes as batches
from batches.page_routes import page_routes as batches_pages
from orders.page_routes import page_routes
from orders.routes import api_routes
from stablecoin import routes as stablecoin
from stablecoin.page_routes import page_routes as stablecoin_pages

urlpatterns = [
    path("", include("fairlane.core.urls")),
    path("", include(page_routes)),
    path("admin/", admin.site.urls),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/", include(api_routes)),
]

# A site that only swaps has no stablecoin.
if settings.EVM_CHAINS:
    urlpatterns += [
        path("", include(stablecoin_pages)),
        path("", include(stablecoin.status_routes)),
        path("api/", include(stablecoin.api_routes)),
    ]

if settings.BATCHES_KEYS_DIR:
    urlpatterns += [
        path("", include(batches_pages)),
        path("api/", include(batches.api_routes)),
    ]

handler400 = "fairlane.core.error_views.bad_request"
handler403 = "fairlane.core.error_views.permission_denied"
handler404 = "fairlane.core.error_views.page_not_found"
handler500 = "fairlane.core.error_views.server_error"
