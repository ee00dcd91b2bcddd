"""Paths of the page of fair batches."""

from django.urls import path

from batches import views

page_routes = [path("batches", views.Batches.as_view(), name="batches-page")]
