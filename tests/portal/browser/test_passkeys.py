"""A passkey, made and used in a browser under the shipped policy: the second factor of who has no application for codes.

The authenticator is Chromium's own virtual one; a passkey is bound to a name, so the portal is asked as localhost.
"""

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
OF_SECOND_FACTORS = ["/account/2fa/", "/account/2fa/totp/activate/", "/account/2fa/recovery-codes/",
                     "/account/2fa/recovery-codes/generate/", "/account/password/change/", "/account/email/"]  # fmt: skip
PASSWORD = "three old bicycles"


def with_authenticator(page):
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return page


def sign_up(page, here, name):
    page.goto(here + "/account/signup/")
    page.fill("[name=username]", name)
    page.fill("[name=password1]", PASSWORD)
    page.fill("[name=password2]", PASSWORD)
    press(page, "Sign Up")


def press(page, label):
    with page.expect_navigation():
        page.get_by_role("button", name=label, exact=True).click()


def test_a_passkey_is_made_and_is_asked_for_at_the_door_from_then_on(browse, served, check_page):
    here = served.address.replace("127.0.0.1", "localhost")
    page = with_authenticator(browse("/", width=320))
    sign_up(page, here, "pia")
    page.goto(here + "/account/2fa/webauthn/add/")
    page.fill("[name=password]", PASSWORD)  # an account that was just made is asked again
    press(page, "Confirm")
    page.fill("[name=name]", "my telephone")
    press(page, "Add")
    page.goto(here + "/account/2fa/webauthn/")
    assert "my telephone" in page.inner_text("main")
    check_page(page)
    links = [link.get_attribute("href") for link in page.locator("main a[href*=webauthn]").all()]
    assert len(links) == 3  # rename, remove, add
    for path in [*links, *OF_SECOND_FACTORS]:
        assert page.goto(here + path).ok, path
        check_page(page)

    page.goto(here + "/account/logout/")
    press(page, "Sign Out")
    page.goto(here + "/account/login/")
    page.fill("[name=login]", "pia")
    page.fill("[name=password]", PASSWORD)
    press(page, "Sign In")
    assert "/account/2fa/" in page.url  # the password alone opens nothing
    press(page, "Use a security key")
    page.goto(here + "/account/2fa/webauthn/")
    assert "my telephone" in page.inner_text("main")
    assert page.faults == []
