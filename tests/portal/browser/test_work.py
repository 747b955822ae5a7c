"""Beyond the free rate a browser computes beside the page, under the shipped policy, and the person goes on."""

MANY = "\n".join(f"0010010001{n:04d}" for n in range(61))  # one more than is free in an hour
FORM = "form[enctype] button:not([type=button])"


def asks_much(browse, network, **more):
    """A page of somebody whose network asked for all that is free."""
    page = browse("/", width=320, **more)
    page.context.set_extra_http_headers({"X-Forwarded-For": network})
    page.fill("#id_identifiers", MANY)
    page.click(FORM)
    page.wait_for_selector("section[aria-live] table, [data-work]")
    return page


def is_worked(page):
    """The work is done and stands in the form."""
    page.get_by_text(page.get_attribute("[data-work]", "data-text-done")).wait_for(timeout=120_000)
    assert len(page.input_value("input[name=altcha]")) > 100


def test_a_browser_does_the_work_and_the_verdict_comes(browse, check_page):
    page = asks_much(browse, "192.0.2.51")
    page.fill("#id_identifiers", "001001000000023")
    page.click(FORM)  # whether or not the work is done by now: the form waits for it
    page.wait_for_selector(".app-verdict--blocked", timeout=120_000)
    is_worked(page)  # for the next one
    check_page(page)


def test_without_scripts_one_is_told_how_long_to_wait_and_nothing_is_lost(browse):
    page = asks_much(browse, "192.0.2.52", javascript=False)
    page.fill("#id_identifiers", "001001000000023")
    with page.expect_navigation() as going:
        page.click(FORM)
    assert going.value.status == 429
    assert page.input_value("#id_identifiers") == "001001000000023"
    assert "please wait" in page.inner_text("main")


def test_the_page_that_asks_for_work_is_accessible_in_both_directions(browse, check_page):
    for language, network in (("en", "192.0.2.53"), ("ar", "192.0.2.54")):
        page = asks_much(browse, network, language=language)
        page.goto("/report/")
        is_worked(page)
        check_page(page)
