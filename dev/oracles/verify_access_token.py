"""PyJWT verifies tokens from the list of keys: python verify_access_token.py ISSUER AUDIENCE TYPE < TOKEN; prints the claims."""

import json
import sys

import jwt

issuer, audience, kind = sys.argv[1:]
token = sys.stdin.read().strip()
header = jwt.get_unverified_header(token)
assert header["typ"] == kind, header
assert header["alg"] == ("RS256" if kind == "JWT" else "EdDSA"), header
key = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json").get_signing_key_from_jwt(token)
required = ["exp", "iat", "iss", "aud", "sub", "sid"]
claims = jwt.decode(
    token, key, algorithms=[header["alg"]], audience=audience, issuer=issuer, options={"require": required}
)
for wrong in [{"audience": "somebody-else"}, {"issuer": "https://evil.example"}]:
    try:
        jwt.decode(token, key, algorithms=[header["alg"]], **{"audience": audience, "issuer": issuer, **wrong})
    except jwt.InvalidTokenError:
        continue
    raise AssertionError(f"taken in spite of {wrong}")
print(json.dumps(claims))
