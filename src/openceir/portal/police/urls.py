"""The police's addresses."""

from django.urls import path

from openceir.portal.police import views

urlpatterns = [
    path("", views.queue, name="police_queue"),
    path("cases.csv", views.queue_csv, name="police_queue_csv"),
    path("cases/<int:number>/", views.case, name="police_case"),
    path("cases/<int:number>/take/", views.take, name="police_take"),
    path("cases/<int:number>/note/", views.add_note, name="police_note"),
    path("find/", views.find, name="police_find"),
    path("hits/", views.hits, name="police_hits"),
    path("roadside/", views.roadside, name="roadside"),
    path("seize/", views.seize_device, name="seize"),
    path("seizures/<int:number>/", views.seizure, name="seizure"),
    path("bulk/", views.bulk, name="police_bulk"),
]
