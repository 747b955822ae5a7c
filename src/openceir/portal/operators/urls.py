"""The operators' addresses."""

from django.urls import path

from openceir.portal.operators import feedback_views, views

urlpatterns = [
    path("dumps/", views.dumps, name="dumps"),
    path("dumps/begin/", views.begin_dump, name="begin_dump"),
    path("dumps/<int:number>/", views.dump, name="dump"),
    path("dumps/<int:number>/octets/", views.octets, name="dump_octets"),
    path("dumps/<int:number>/rejects/", views.rejects, name="dump_rejects"),
    path("lists/", views.lists, name="operator_lists"),
    path("lists/notices/", views.notices, name="operator_notices"),
    path("outcomes/", feedback_views.outcomes, name="notice_outcomes"),
    path("contests/", feedback_views.contests, name="operator_contests"),
    path("audits/", feedback_views.audits, name="eir_audits"),
]
