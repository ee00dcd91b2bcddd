"""Paths of the whole site."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from orders.page_routes import page_routes
from orders.routes import api_routes

urlpatterns = [
    path("", include("fairlane.core.urls")),
    path("", include(page_routes)),
    path("admin/", admin.site.urls),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/", include(api_routes)),
]

handler400 = "fairlane.core.error_views.bad_request"
handler403 = "fairlane.core.error_views.permission_denied"
handler404 = "fairlane.core.error_views.page_not_found"
handler500 = "fairlane.core.error_views.server_error"
