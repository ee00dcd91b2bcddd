"""Paths of the pages for traders."""

from django.urls import path

from orders import views

page_routes = [
    path("", views.Trade.as_view(), name="trade"),
    path("orders/<uuid:order_id>", views.OrderPage.as_view(), name="order-page"),
]
