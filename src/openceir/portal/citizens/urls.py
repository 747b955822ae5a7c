"""What anybody may open. No address carries a number of a device, a reference or a name."""

from django.urls import path

from openceir.portal.citizens.views import cases, check, matters, mine, pages

urlpatterns = [
    path("", check.home, name="home"),
    path("receipts/new", check.check_receipt, name="check_receipt"),
    path("receipts/key", check.key, name="receipt_key"),
    path("receipts/", check.verify, name="verify_receipt"),
    path("watch", check.watch, name="watch"),
    path("report/", matters.report, name="report"),
    path("register/", matters.bring, name="bring"),
    path("appeal/", matters.appeal, name="appeal"),
    path("case/", cases.open_case, name="open_case"),
    path("case/<int:number>/", cases.case, name="case"),
    path("case/<int:number>/written", cases.written, name="case_written"),
    path("case/<int:number>/document/<int:which>", cases.document, name="case_document"),
    path("case/<int:number>/<slug:what>", cases.act, name="case_act"),
    path("mine/", mine.mine, name="mine"),
    path("mine/take", mine.take_over, name="take_over"),
    path("mine/<int:number>/not-mine", mine.not_mine, name="not_mine"),
    path("mine/<int:number>/pass", mine.pass_on, name="pass_on"),
    path("figures/", pages.figures, name="figures"),
    path("help/<slug:name>/", pages.page, name="help"),
]
