"""Paths of the pages for operators."""

from django.urls import path

from stablecoin import views

page_routes = [
    path("stablecoin", views.Stablecoin.as_view(), name="stablecoin"),
    path("stablecoin/requests/<uuid:id>", views.RequestPage.as_view(), name="stablecoin-request"),
]
