"""One's own account."""

from django.urls import path

from openceir.portal.accounts import supervision, views

urlpatterns = [
    path("", views.account, name="account"),
    path("approvals/", supervision.approvals, name="approvals"),
    path("approvals/<int:number>/", supervision.approval, name="approval"),
    path("people/", supervision.people, name="people"),
    path("people/appoint/", supervision.appoint, name="appoint"),
    path("people/<int:number>/end/", supervision.end, name="end_appointment"),
    path("alarms/", supervision.alarms, name="alarms"),
    path("alarms/<int:number>/seen/", supervision.alarm_seen, name="alarm_seen"),
]
