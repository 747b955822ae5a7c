"""The regulator's addresses."""

from django.urls import path

from openceir.portal.regulator import views

urlpatterns = [
    path("figures/", views.figures, name="regulator_figures"),
    path("figures/<str:month>/", views.report, name="report"),
    path("figures/<str:month>/<str:name>.csv", views.figure_csv, name="figure_csv"),
    path("policy/", views.policy, name="policy"),
    path("policy/limits/<str:path>/", views.limit, name="policy_limit"),
    path("policy/files/<str:file>/", views.policy_file, name="policy_file"),
    path("policy/drafts/<int:number>/", views.draft, name="policy_draft"),
    path("findings/", views.findings, name="findings"),
    path("findings/<int:number>/", views.finding, name="finding"),
    path("appeals/", views.appeals, name="appeals"),
    path("appeals/<int:number>/", views.appeal, name="appeal_decision"),
]
