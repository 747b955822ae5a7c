"""Every address of the portal. An app adds one line here and keeps its own addresses in its `urls.py`."""

from django.urls import include, path

from openceir.portal.site import health, metrics, views

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("language", views.set_language, name="set_language"),
    path("kept", views.kept_form, name="kept_form"),
    path("account/", include("openceir.portal.accounts.urls")),
    path("account/", include("allauth.account.urls")),
    path("account/office/", include("allauth.socialaccount.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("cases/", include("openceir.portal.cases.urls")),
    path("police/", include("openceir.portal.police.urls")),
    path("customs/", include("openceir.portal.customs.urls")),
    path("trade/", include("openceir.portal.trade.urls")),
    path("operators/", include("openceir.portal.operators.urls")),
    path("regulator/", include("openceir.portal.regulator.urls")),
    path("auditor/", include("openceir.portal.auditor.urls")),
    path("api/", include("openceir.portal.api.urls")),
    path("", include("openceir.portal.channels.urls")),
    path("", include("openceir.portal.citizens.urls")),
]
