// openid-client signs somebody in to a product: discovery, code, token, userinfo, end of session. Nothing but the issuer,
// the client, its scope and its addresses is configured; the steps are those of its own documentation: PKCE, and a state
// where the provider knows none. With `--nonce` a nonce takes the place of PKCE. Prints the access token of the code flow.
import assert from 'node:assert/strict'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, POST_LOGOUT_REDIRECT_URI, EMAIL, PASSWORD } = process.env

/** A browser that keeps cookies and follows nothing by itself. */
const cookies = new Map()
async function browse(url, options = {}) {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const headers = { ...options.headers, ...(cookie ? { cookie } : {}) }
  const answer = await fetch(url, { ...options, headers, redirect: 'manual' })
  for (const line of answer.headers.getSetCookie()) {
    const [name, value] = line.split(';')[0].split('=')
    if (line.includes('Max-Age=0')) cookies.delete(name)
    else cookies.set(name, value)
  }
  return answer
}

async function locationOf(url) {
  const answer = await browse(url)
  assert.equal(answer.status, 303, await answer.text())
  return new URL(answer.headers.get('location'))
}

const config = await client.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET)
const parameters = { redirect_uri: REDIRECT_URI, scope: 'openid profile email' }
const checks = { idTokenExpected: true }
if (process.argv.includes('--nonce')) {
  parameters.nonce = checks.expectedNonce = client.randomNonce()
  parameters.state = checks.expectedState = client.randomState()
} else {
  checks.pkceCodeVerifier = client.randomPKCECodeVerifier()
  parameters.code_challenge = await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier)
  parameters.code_challenge_method = 'S256'
  if (!config.serverMetadata().supportsPKCE()) parameters.state = checks.expectedState = client.randomState()
}
const asked = client.buildAuthorizationUrl(config, parameters)

const login = await locationOf(asked)
const signedIn = await browse(`${ISSUER}/api/v1/auth/login`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ email: EMAIL, password: PASSWORD }),
})
assert.equal(signedIn.status, 200, await signedIn.text())
const arrived = await locationOf(new URL(login.searchParams.get('next'), ISSUER))
assert.ok(arrived.href.startsWith(REDIRECT_URI), arrived.href)

const tokens = await client.authorizationCodeGrant(config, arrived, checks)
const claims = tokens.claims()
assert.equal(claims.email, EMAIL)
const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
assert.equal(info.email, EMAIL)
console.log(tokens.access_token)

const goodbye = client.buildEndSessionUrl(config, {
  post_logout_redirect_uri: POST_LOGOUT_REDIRECT_URI,
  id_token_hint: tokens.id_token,
  state: 'bye',
})
const after = await locationOf(goodbye)
assert.equal(after.href, `${POST_LOGOUT_REDIRECT_URI}?state=bye`)
assert.equal((await browse(`${ISSUER}/api/v1/session`)).status, 401)
await assert.rejects(client.fetchUserInfo(config, tokens.access_token, claims.sub), 'the session has ended')
