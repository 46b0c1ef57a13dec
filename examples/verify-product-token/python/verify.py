"""Verifies a product token. Needs `pip install 'pyjwt[crypto]'`.

    python verify.py ISSUER CLIENT_ID [ORGANIZATION [TENANT]] < TOKEN
"""

import json
import sys

import jwt

issuer, client_id, *serves = sys.argv[1:]
# What an instance of a dedicated product serves: all instances share the client, so the audience does not tell their
# tokens apart. Left away in a product that serves many organizations.
organization, tenant = (*serves, None, None)[:2]
# Keeps the keys, and reads them again when a token names one that it does not have. Make one and keep it.
keys = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json")


def verify(token):
    """The claims of a token that this product may believe; raises `jwt.InvalidTokenError` for any other."""
    key = keys.get_signing_key_from_jwt(token)
    decoded = jwt.decode_complete(
        token,
        key,
        algorithms=["EdDSA"],
        issuer=issuer,
        audience=client_id,
        leeway=30,
        options={"require": ["exp", "iat", "sub", "sid", "organization", "roles"]},
    )
    # The access token of the sign-in has the same audience; only this kind says what somebody may do.
    if decoded["header"].get("typ") != "product+jwt":
        raise jwt.InvalidTokenError("not a product token")
    claims = decoded["payload"]
    if organization and claims["organization"]["id"] != organization:
        raise jwt.InvalidTokenError("on behalf of another organization")
    if tenant and claims.get("tenant") != tenant:
        raise jwt.InvalidTokenError("for another tenant")
    return claims


try:
    print(json.dumps(verify(sys.stdin.read().strip())))
except (jwt.InvalidTokenError, jwt.PyJWKClientError) as error:
    sys.exit(f"refused: {error}")
