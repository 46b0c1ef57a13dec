// Verifies a product token. Needs `npm install jose`.
//
//   node verify.mjs ISSUER CLIENT_ID [ORGANIZATION [TENANT]] < TOKEN
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { text } from 'node:stream/consumers'

// What an instance of a dedicated product serves: all instances share the client, so the audience does not tell their
// tokens apart. Left away in a product that serves many organizations.
const [issuer, clientId, organization, tenant] = process.argv.slice(2)
// Keeps the keys, and reads them again when a token names one that it does not have. Make one and keep it.
const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))

/** The claims of a token that this product may believe; throws for any other. */
async function verify(token) {
  const { payload } = await jwtVerify(token, keys, {
    issuer,
    audience: clientId,
    algorithms: ['EdDSA'],
    // The access token of the sign-in has the same audience; only this kind says what somebody may do.
    typ: 'product+jwt',
    clockTolerance: 30,
    requiredClaims: ['exp', 'iat', 'sub', 'sid', 'organization', 'roles'],
  })
  if (organization && payload.organization.id !== organization)
    throw new Error('on behalf of another organization')
  if (tenant && payload.tenant !== tenant) throw new Error('for another tenant')
  return payload
}

try {
  console.log(JSON.stringify(await verify((await text(process.stdin)).trim())))
} catch (error) {
  console.error(`refused: ${error.message}`)
  process.exit(1)
}
