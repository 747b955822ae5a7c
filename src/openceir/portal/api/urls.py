"""The addresses of the API."""

from django.urls import path

from openceir.portal.api.operations import api

urlpatterns = [path("", api.urls)]
