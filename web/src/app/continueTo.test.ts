import { describe, expect, it, vi } from 'vitest'
import type { Router } from 'vue-router'
import { continueTo } from './continueTo'

async function destination(candidate: unknown): Promise<string> {
  const push = vi.fn()
  const leave = vi.fn()
  await continueTo({ push } as unknown as Router, candidate, '/', leave)
  const [kind, calls] = push.mock.calls.length ? ['page', push.mock.calls] : ['server', leave.mock.calls]
  return `${kind} ${calls[0]?.[0]}`
}

describe('continueTo', () => {
  it('goes back to a product through the server, and to pages by the router', async () => {
    expect(await destination('/oauth/authorize?client_id=collection&state=a%20b')).toBe(
      'server /oauth/authorize?client_id=collection&state=a%20b',
    )
    expect(await destination('/o/museum/tenants')).toBe('page /o/museum/tenants')
    expect(await destination('/oauthority')).toBe('page /oauthority')
  })

  it('stays on this site', async () => {
    for (const candidate of ['//evil.example/oauth/', 'https://evil.example/oauth/authorize', '/\\evil.example', undefined])
      expect(await destination(candidate)).toBe('page /')
  })
})
