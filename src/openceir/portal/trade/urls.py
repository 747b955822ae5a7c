"""The trade's addresses, and those of the regulator's review."""

from django.urls import path

from openceir.portal.trade import reviews, views

urlpatterns = [
    path("types/", views.type_approvals, name="type_approvals"),
    path("types/new/", views.apply_for_type, name="apply_for_type"),
    path("types/<int:number>/", views.type_approval, name="type_approval"),
    path("stock/", views.stock, name="stock"),
    path("stock/key/", views.stock_key, name="stock_key"),
    path("sales/", views.sales, name="sell"),
    path("review/", reviews.queue, name="trade_review"),
    path("review/types/<int:number>/", reviews.review_type, name="review_type"),
    path("review/stock/<int:number>/", reviews.review_batch, name="review_batch"),
]
