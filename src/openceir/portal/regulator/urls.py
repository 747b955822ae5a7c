"""The regulator's addresses."""

from django.urls import path

from openceir.portal.regulator import figure_views, office_views, views

urlpatterns = [
    path("", figure_views.dashboard, name="regulator_dashboard"),
    path("figures/", figure_views.figures, name="regulator_figures"),
    path("figures/<str:month>/", figure_views.report, name="report"),
    path("figures/<str:month>/trends/", figure_views.trends, name="figure_trends"),
    path("figures/<str:month>/<str:name>.csv", figure_views.figure_csv, name="figure_csv"),
    path("waiting/", office_views.waiting, name="waiting_times"),
    path("notices/", office_views.notice_texts, name="notice_texts"),
    path("notices/<slug:name>/<str:language>/", office_views.notice_text, name="notice_text"),
    path("policy/", views.policy, name="policy"),
    path("policy/limits/<str:path>/", views.limit, name="policy_limit"),
    path("policy/files/<str:file>/", views.policy_file, name="policy_file"),
    path("policy/drafts/<int:number>/", views.draft, name="policy_draft"),
    path("findings/", views.findings, name="findings"),
    path("findings/<int:number>/", views.finding, name="finding"),
    path("appeals/", views.appeals, name="appeals"),
    path("appeals/<int:number>/", views.appeal, name="appeal_decision"),
]
