"""Paths of the kernel."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from fairlane.core import views

urlpatterns = [
    path("sign-in", views.SignIn.as_view(), name="sign-in"),
    path("sign-in/<str:token>", views.sign_in_by_link, name="sign-in-link"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    path("health", views.overview, name="health"),
    path("health/ready", views.ready, name="health-ready"),
    path("health/live", views.live, name="health-live"),
    path("metrics", views.metrics_page, name="metrics"),
    path("metrics/queues", views.queues, name="queues"),
    path("api/ws-ticket", views.WebSocketTicket.as_view(), name="ws-ticket"),
]
