"""The auditor's addresses."""

from django.urls import path

from openceir.portal.auditor import views

urlpatterns = [
    path("proofs/", views.proofs, name="proofs"),
    path("proofs/receipt/", views.receipt, name="proof_receipt"),
    path("proofs/checkpoints/", views.checkpoints, name="proof_checkpoints"),
    path("acts/", views.acts, name="acts"),
    path("acts/reads/", views.reads, name="register_reads"),
    path("acts/replays/", views.replays, name="replays"),
]
