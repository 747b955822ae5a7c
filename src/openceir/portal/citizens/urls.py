"""What anybody may open."""

from django.urls import path

from openceir.portal.citizens import views

urlpatterns = [path("", views.home, name="home")]
