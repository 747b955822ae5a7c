"""Addresses that every office's case pages share."""

from django.urls import path

from openceir.portal.cases import views

urlpatterns = [path("evidence/<int:number>", views.evidence, name="case_evidence")]
