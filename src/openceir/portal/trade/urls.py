"""The trade's addresses, and those of the regulator's review."""

from django.urls import path

from openceir.portal.trade.views import companies, questions, reviews, stock, types

urlpatterns = [
    path("standing/", companies.standing, name="standing"),
    path("standing/new/", companies.apply_to_be_verified, name="apply_for_standing"),
    path("standing/answer/", companies.answer_about_standing, name="answer_about_standing"),
    path("fees/", companies.company_fees, name="company_fees"),
    path("types/", types.type_approvals, name="type_approvals"),
    path("types/new/", types.apply_for_type, name="apply_for_type"),
    path("types/<int:number>/", types.type_approval, name="type_approval"),
    path("types/<int:number>/papers/", types.add_paper_to, name="add_paper"),
    path("stock/", stock.stock, name="stock"),
    path("stock/key/", stock.stock_key, name="stock_key"),
    path("stock/key/exchange/", stock.exchange, name="exchange_stock_key"),
    path("stock/key/lost/", stock.give_up, name="give_up_stock_key"),
    path("stock/check/", stock.check, name="check_stock"),
    path("stock/realised/", stock.realised, name="realised"),
    path("sales/", stock.sales, name="sell"),
    path("questions/", questions.company_questions, name="company_questions"),
    path("questions/<int:number>/", questions.company_question, name="company_question"),
    path("asked/", questions.asked_questions, name="asked_questions"),
    path("asked/new/", questions.ask_company, name="ask_company"),
    path("asked/about/<int:number>/", questions.ask_about, name="ask_about"),
    path("asked/<int:number>/", questions.asked_question, name="asked_question"),
    path("review/", reviews.queue, name="trade_review"),
    path("review/companies/<int:number>/", reviews.review_standing, name="review_standing"),
    path("review/types/<int:number>/", reviews.review_type, name="review_type"),
    path("review/types/<int:number>/papers/", reviews.accept_new_papers, name="accept_papers"),
    path("review/stock/<int:number>/", reviews.review_batch, name="review_batch"),
    path("review/fees/", reviews.fees, name="review_fees"),
    path("review/fees/<int:number>/", reviews.paid, name="mark_paid"),
    path("review/realised/", reviews.realised_by_all, name="realised_by_all"),
]
