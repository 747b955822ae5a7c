"""Every page of police, customs, trade, operators, regulator and auditor: accessible, narrow, in both directions, asking nobody else."""

import pytest

PAGES = {
    "ann": [
        "/police/", "/police/cases/{case}/", "/police/find/", "/police/hits/", "/police/roadside/", "/police/seize/",
        "/police/seizures/{seizure}/", "/police/bulk/", "/trade/asked/", "/trade/asked/new/",
        "/trade/asked/about/{case}/", "/trade/asked/{question}/",
    ],
    "cas": [
        "/customs/consignments/", "/customs/consignments/new/", "/customs/consignments/{consignment}/",
        "/customs/travellers/", "/customs/travellers/{traveller}/", "/customs/ports/",
    ],
    "reg": [
        "/regulator/", "/regulator/figures/", "/regulator/figures/{month}/", "/regulator/figures/{month}/trends/",
        "/regulator/waiting/", "/regulator/notices/", "/regulator/notices/block-to-come/en/", "/regulator/policy/",
        "/regulator/policy/limits/status.dispute_restores_after_hours/", "/regulator/policy/files/country.toml/",
        "/regulator/policy/drafts/{draft}/", "/regulator/findings/", "/regulator/findings/{run}/",
        "/regulator/appeals/", "/regulator/appeals/{appeal}/",
        "/trade/review/", "/trade/review/types/{type}/", "/trade/review/stock/{batch}/",
        "/trade/review/companies/{company}/", "/trade/review/fees/", "/trade/review/fees/{owed}/",
        "/trade/review/realised/", "/api/keys/",
    ],
    "mia": ["/api/keys/"],
    "rob": ["/account/approvals/", "/account/approvals/{adoption}/", "/account/people/", "/account/people/appoint/",
            "/account/alarms/"],
    "ole": ["/operators/dumps/", "/operators/dumps/{dump}/", "/operators/lists/", "/operators/lists/notices/",
            "/operators/outcomes/", "/operators/contests/", "/operators/audits/"],
    "iva": [
        "/trade/standing/", "/trade/standing/new/", "/trade/fees/", "/trade/types/", "/trade/types/new/",
        "/trade/types/{type}/", "/trade/types/{type}/papers/", "/trade/stock/", "/trade/stock/key/exchange/",
        "/trade/stock/key/lost/", "/trade/stock/check/", "/trade/stock/realised/", "/trade/sales/",
        "/trade/questions/", "/trade/questions/{question}/",
    ],
    "mak": ["/trade/standing/", "/trade/stock/"],
    "aud": ["/auditor/proofs/", "/auditor/proofs/receipt/", "/auditor/proofs/checkpoints/", "/auditor/acts/",
            "/auditor/acts/reads/", "/auditor/acts/replays/", "/operators/audits/"],
}  # fmt: skip


@pytest.mark.parametrize(("who", "path"), [(who, path) for who, paths in PAGES.items() for path in paths])
def test_a_page_is_accessible_narrow_and_asks_nobody_else(look, served, who, path):
    look(path.format(**served.known), as_=who)


def test_a_case_is_decided_without_a_script(browse, served):
    page = browse(f"/police/cases/{served.known['case']}/", as_="ann", javascript=False)
    page.get_by_text("Ask the person something").click()
    page.get_by_label("Reasons, or your question").fill("Where did you buy the phone?")
    page.get_by_role("button", name="Decide").click()
    page.goto(f"/police/cases/{served.known['case']}/")
    assert "waiting for your answer" in page.content()
