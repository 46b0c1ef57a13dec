"""Verifies a product token. Needs `pip install 'pyjwt[crypto]'`.

    python verify.py ISSUER CLIENT_ID < TOKEN
"""

import json
import sys

import jwt

issuer, client_id = sys.argv[1:]
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
    return decoded["payload"]


try:
    print(json.dumps(verify(sys.stdin.read().strip())))
except (jwt.InvalidTokenError, jwt.PyJWKClientError) as error:
    sys.exit(f"refused: {error}")
