"""Authlib, as a web framework uses it, signs somebody in to a product: discovery, code, token, userinfo, end of session.

Nothing but the issuer, the client, its scope and its addresses is configured: a nonce is then sent, and no PKCE. With
`--pkce` that is switched on as Authlib documents it. Prints the access token of the code flow.
"""

import os
import sys
import urllib.parse

import requests
from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session

ISSUER = os.environ["ISSUER"]
REDIRECT = os.environ["REDIRECT_URI"]
AFTER_LOGOUT = os.environ["POST_LOGOUT_REDIRECT_URI"]


class NoFramework:
    """What Flask or Django would add: a place for tokens between two requests."""

    def update_token(self, *_, **__):
        raise AssertionError("there is nothing to refresh")


class App(OAuth2Mixin, OpenIDMixin, BaseApp):
    client_cls = OAuth2Session
    token = None

    def _get_requested_token(self, *_, **__):
        return self.token


def location(response):
    assert response.status_code == 303, (response.status_code, response.text)
    return response.headers["location"]


def main(has_pkce):
    settings = {"code_challenge_method": "S256"} if has_pkce else {}
    app = App(
        NoFramework(),
        name="tenantry",
        client_id=os.environ["CLIENT_ID"],
        client_secret=os.environ.get("CLIENT_SECRET"),
        server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid profile email", **settings},
    )
    asked = app.create_authorization_url(REDIRECT)
    assert ("code_challenge=" in asked["url"]) == has_pkce and "nonce=" in asked["url"], asked["url"]

    browser = requests.Session()
    login = location(browser.get(asked["url"], allow_redirects=False))
    back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(login).query))["next"]
    person = {"email": os.environ["EMAIL"], "password": os.environ["PASSWORD"]}
    answer = browser.post(f"{ISSUER}/api/v1/auth/login", json=person)
    assert answer.status_code == 200, answer.text
    arrived = location(browser.get(ISSUER + back, allow_redirects=False))
    assert arrived.startswith(REDIRECT + "?"), arrived
    answered = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(arrived).query))
    assert answered["state"] == asked["state"] and answered["iss"] == ISSUER, answered

    verifier = {"code_verifier": asked["code_verifier"]} if has_pkce else {}
    app.token = app.fetch_access_token(REDIRECT, code=answered["code"], **verifier)
    claims = app.parse_id_token(app.token, nonce=asked["nonce"])
    assert claims["email"] == person["email"], claims
    info = app.userinfo()
    assert info["sub"] == claims["sub"] and info["email"] == person["email"], info
    print(app.token["access_token"])

    goodbye = app.create_logout_url(AFTER_LOGOUT, id_token_hint=app.token["id_token"])
    after = location(browser.get(goodbye["url"], allow_redirects=False))
    assert after == f"{AFTER_LOGOUT}?state={goodbye['state']}", after
    assert browser.get(f"{ISSUER}/api/v1/session").status_code == 401
    assert app.get(f"{ISSUER}/oauth/userinfo").status_code == 401, "the session has ended"


sys.exit(main("--pkce" in sys.argv[1:]))
