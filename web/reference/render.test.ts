import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Document } from './document.ts'
import { exampleOf } from './example.ts'
import { escape } from './html.ts'
import { render } from './render.ts'

const real = JSON.parse(readFileSync('openapi.json', 'utf8')) as Document

describe('the reference', () => {
  it('shows every operation once, and every link leads somewhere', () => {
    const page = render(real)
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((found) => found[1])
    expect(new Set(ids).size).toBe(ids.length)
    for (const item of Object.values(real.paths))
      for (const operation of Object.values(item)) expect(ids).toContain(operation.operationId)
    expect(page.match(/<em>\{[a-z_]+\}<\/em>/g)?.length).toBeGreaterThan(10)
    expect(page).not.toContain('</<')
    for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target)
  })

  it('needs neither scripts nor inline styles, and writes text as text', () => {
    const hostile = structuredClone(real)
    hostile.info.description = '<script>alert(1)</script> "quoted" `<b>`'
    const page = render(hostile)
    expect(page).not.toMatch(/<script|<style| style=| on[a-z]+=/)
    expect(page).toContain('&lt;script&gt;')
    expect(escape(`<a href="x">'&`)).toBe('&lt;a href=&quot;x&quot;&gt;&#39;&amp;')
  })

  it('shows forms as they are sent, and each way to fill one in by its name', () => {
    const page = render(real)
    const token = page.slice(page.indexOf('<h3 id="token">'), page.indexOf('<h3 id="userinfo">'))
    expect(token).toContain('grant_type=authorization_code\n&amp;')
    expect(token).toContain('href="#schema-CodeForm"')
    expect(token).toContain('href="#schema-ExchangeForm"')
    expect(token).toContain('Takes a product’s client id and secret, if there is one.')
  })

  it('shows a call of every operation in three languages, one of them open', () => {
    const page = render(real)
    const operations = Object.values(real.paths).flatMap((item) => Object.values(item))
    for (const { operationId } of operations) {
      const blocks = page.split(`<details class="call" name="call-${operationId}"`).slice(1)
      expect(blocks.map((block) => /^( open)?><summary>([^<]+)/.exec(block)?.slice(1))).toEqual([
        [' open', 'curl'],
        [undefined, 'Python'],
        [undefined, 'JavaScript'],
      ])
    }
    expect(page).toContain('--header &quot;Authorization: Bearer $TENANTRY_TOKEN&quot;')
  })

  it('makes examples that have the shape of their schema', () => {
    const session = exampleOf(real, { $ref: '#/components/schemas/Session' }) as Record<string, unknown>
    expect(Object.keys(session)).toContain('csrf_token')
    expect(exampleOf(real, { type: 'array', items: { type: 'boolean' } })).toEqual([false])
    const recursive = structuredClone(real)
    recursive.components.schemas['Loop'] = { properties: { next: { $ref: '#/components/schemas/Loop' } } }
    expect(exampleOf(recursive, { $ref: '#/components/schemas/Loop' })).toEqual({ next: null })
  })
})
