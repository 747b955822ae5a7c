"""The customs' addresses."""

from django.urls import path

from openceir.portal.customs import views

urlpatterns = [
    path("consignments/", views.consignments, name="consignments"),
    path("consignments/new/", views.declare, name="declare_consignment"),
    path("consignments/<int:number>/", views.consignment, name="consignment"),
    path("consignments/<int:number>/scan/", views.scan_devices, name="scan_consignment"),
    path("travellers/", views.imports, name="imports"),
    path("travellers/<int:number>/", views.traveller, name="import_case"),
    path("ports/", views.ports, name="ports"),
]
