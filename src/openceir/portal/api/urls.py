"""The addresses of the API, and of the page on which its keys are made."""

from django.urls import path

from openceir.portal.api import views
from openceir.portal.api.camara import camara
from openceir.portal.api.operations import api

urlpatterns = [
    path("keys/", views.keys, name="api_keys"),
    path("keys/<int:number>/end/", views.end_key, name="end_api_key"),
    path("imei-fraud-check/vwip/", camara.urls),
    path("", api.urls),
]
