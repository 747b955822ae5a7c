"""One's own account."""

from django.urls import path

from openceir.portal.accounts import sign_on, supervision, views

urlpatterns = [
    path("", views.account, name="account"),
    path("email/address/", views.email, name="own_email"),
    path("office/<slug:provider_id>/", sign_on.go_there, name="openid_connect_login"),
    path("office/<slug:provider_id>/back/", sign_on.come_back, name="openid_connect_callback"),
    path("password/reset/", views.forgotten, name="account_reset_password"),
    path("approvals/", supervision.approvals, name="approvals"),
    path("approvals/<int:number>/", supervision.approval, name="approval"),
    path("people/", supervision.people, name="people"),
    path("people/appoint/", supervision.appoint, name="appoint"),
    path("people/<int:number>/end/", supervision.end, name="end_appointment"),
    path("alarms/", supervision.alarms, name="alarms"),
    path("alarms/<int:number>/seen/", supervision.alarm_seen, name="alarm_seen"),
]
