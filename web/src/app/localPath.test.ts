import { describe, expect, it } from 'vitest'
import { localPath } from './localPath'

describe('localPath', () => {
  it('keeps a path of this site with its query and fragment', () => {
    expect(localPath('/o/museum/tenants?state=failed#top', '/')).toBe('/o/museum/tenants?state=failed#top')
  })

  it.each([
    'https://elsewhere.example/',
    '//elsewhere.example/',
    '/\\elsewhere.example',
    '/\\/elsewhere.example',
    '/o\\..\\x',
    'javascript:alert(1)',
    '/\u0009/elsewhere.example',
    '/\n/elsewhere.example',
    'o/museum',
    '',
    undefined,
    ['/o/museum'],
  ])('falls back for %j', (candidate) => {
    expect(localPath(candidate, '/start')).toBe('/start')
  })
})
