import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { exampleCall, type Call } from './call.ts'
import { operationsOf, type Document } from './document.ts'
import { LANGUAGES } from './snippets.ts'

const document = JSON.parse(readFileSync('openapi.json', 'utf8')) as Document
const operations = (document.tags ?? []).flatMap((tag) => operationsOf(document, tag.name))

function call(operationId: string): Call {
  const operation = operations.find((candidate) => candidate.operationId === operationId)
  if (!operation) throw new Error(`there is no operation ${operationId}`)
  return exampleCall(document, operation)
}

function written(language: string, what: Call | string): string {
  const found = LANGUAGES.find(({ name }) => name === language)
  return found?.write(typeof what === 'string' ? call(what) : what) ?? ''
}

describe('example calls', () => {
  it('ask with a token, at an address that is filled in', () => {
    expect(written('curl', 'get_organization')).toBe(
      `curl 'https://tenantry.example.com/api/v1/organizations/museum-of-examples' \\
  --header "Authorization: Bearer $TENANTRY_TOKEN"`,
    )
    expect(written('Python', 'get_organization')).toBe(`import os

import requests

response = requests.get(
    "https://tenantry.example.com/api/v1/organizations/museum-of-examples",
    headers={
        "Authorization": f"Bearer {os.environ['TENANTRY_TOKEN']}",
    },
    timeout=30,
)
response.raise_for_status()
print(response.json())`)
    expect(written('JavaScript', 'get_organization'))
      .toBe(`const response = await fetch("https://tenantry.example.com/api/v1/organizations/museum-of-examples", {
  headers: {
    "Authorization": \`Bearer \${process.env.TENANTRY_TOKEN}\`,
  },
})
if (!response.ok) throw new Error(await response.text())
console.log(await response.json())`)
  })

  it('send JSON, and a key under which they may be sent again', () => {
    expect(written('curl', 'create_organization')).toBe(
      `curl 'https://tenantry.example.com/api/v1/organizations' \\
  --header "Authorization: Bearer $TENANTRY_TOKEN" \\
  --header "Idempotency-Key: $(openssl rand -hex 16)" \\
  --json '{
  "name": "Museum of Examples"
}'`,
    )
    const python = written('Python', 'create_organization')
    expect(python).toContain('        "Idempotency-Key": str(uuid.uuid4()),\n')
    expect(python).toContain('    json={\n        "name": "Museum of Examples",\n    },\n')
    const javascript = written('JavaScript', 'create_organization')
    expect(javascript).toContain('  method: "POST",\n')
    expect(javascript).toContain('    "Idempotency-Key": crypto.randomUUID(),\n')
    expect(javascript).toContain('    "Content-Type": "application/json",\n')
    expect(javascript).toContain('  body: JSON.stringify({\n    "name": "Museum of Examples"\n  }),\n')
  })

  it('send forms field by field', () => {
    const curl = written('curl', 'token')
    expect(curl).toContain("curl 'https://tenantry.example.com/oauth/token' \\\n")
    expect(curl).toContain("  --data-urlencode 'grant_type=authorization_code' \\\n")
    expect(written('Python', 'token')).toContain('        "grant_type": "authorization_code",\n')
    expect(written('JavaScript', 'token')).toContain('  body: new URLSearchParams({\n    "client_id"')
    // A token in the form and another in the header would be refused.
    expect(call('userinfo_by_post').headers).toEqual([])
    expect(call('userinfo').headers).toEqual([
      ['Authorization', { text: 'Bearer ', variable: 'ACCESS_TOKEN' }],
    ])
  })

  it('of operators carry what a call by cookie has to carry', () => {
    const headers = call('operator_set_role').headers.map(([name]) => name)
    expect(headers).toEqual(['Origin', 'X-CSRF-Token', 'Cookie', 'Idempotency-Key'])
    expect(call('operator_overview').headers.map(([name]) => name)).toEqual(['Cookie'])
    expect(written('curl', 'operator_overview')).toContain(
      '"Cookie: __Host-tenantry_operator=$OPERATOR_SESSION"',
    )
  })

  it('send files, follow streams, and do not follow redirects', () => {
    expect(written('curl', 'put_avatar')).toContain('--request PUT')
    expect(written('curl', 'put_avatar')).toContain('--data-binary @picture.jpeg')
    expect(written('curl', 'get_avatar')).toContain('--output picture ')
    expect(written('curl', 'stream_operation')).toContain('--no-buffer')
    expect(written('curl', 'authorize')).toContain(
      "--get --include 'https://tenantry.example.com/oauth/authorize' \\\n",
    )
    expect(written('Python', 'authorize')).toContain('allow_redirects=False')
    expect(written('JavaScript', 'authorize')).toContain('/oauth/authorize?" + new URLSearchParams({\n')
    expect(written('curl', 'logout')).toContain('--request POST')
  })

  it('write every value as its language does', () => {
    const value = { text: 'it\'s "so"', none: null, yes: true, list: [1, { no: false }], empty: [] }
    const odd: Call = { ...call('create_organization'), body: { kind: 'json', value } }
    expect(written('curl', odd)).toContain(`"text": "it'\\''s \\"so\\""`)
    expect(written('Python', odd)).toContain(`    json={
        "text": "it's \\"so\\"",
        "none": None,
        "yes": True,
        "list": [
            1,
            {
                "no": False,
            },
        ],
        "empty": [],
    },`)
  })

  it('leave no part of an address open', () => {
    for (const operation of operations)
      expect(exampleCall(document, operation).url).toMatch(/^https:\/\/tenantry\.example\.com\/[^{}…]+$/)
  })
})
