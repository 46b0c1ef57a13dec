import { describe, expect, it } from 'vitest'
import { formatMoney } from './money'
import { formatDuration, relativeTime } from './time'

describe('money', () => {
  it.each([
    [{ amount_minor: 4_900, currency: 'EUR' }, '€49'],
    [{ amount_minor: 4_950, currency: 'EUR' }, '€49.50'],
    [{ amount_minor: 1_500, currency: 'JPY' }, '¥1,500'],
    [{ amount_minor: 1_005, currency: 'KWD' }, 'KWD\u00a01.005'],
    [{ amount_minor: 0, currency: 'USD' }, '$0'],
  ])('%j is %s', (money, text) => expect(formatMoney(money)).toBe(text))
})

describe('time', () => {
  it.each([
    [0, '0 ms'],
    [240, '240 ms'],
    [3_210, '3.2 s'],
    [9_990, '10 s'],
    [65_000, '1 min 05 s'],
    [7_380_000, '2 h 03 min'],
  ])('%d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

  it('is relative to now', () => {
    const now = new Date('2026-11-21T12:00:00Z')
    const at = (text: string) => relativeTime(new Date(text), now)
    expect(at('2026-11-21T11:59:50Z')).toBe('now')
    expect(at('2026-11-21T11:57:00Z')).toBe('3 minutes ago')
    expect(at('2026-11-23T12:00:00Z')).toBe('in 2 days')
  })
})
