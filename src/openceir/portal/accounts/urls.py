"""One's own account."""

from django.urls import path

from openceir.portal.accounts import views

urlpatterns = [path("", views.account, name="account")]
