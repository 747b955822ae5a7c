"""The addresses that gateways call."""

from django.urls import path

from openceir.portal.channels import views

urlpatterns = [
    path("sms/kannel", views.kannel, name="sms_kannel"),
    path("ussd", views.ussd, name="ussd"),
]
