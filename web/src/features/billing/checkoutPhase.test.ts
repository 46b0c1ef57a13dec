import { describe, expect, it } from 'vitest'
import { checkoutPhase, nameOfHost, paymentPage, SLOW_AFTER_MS } from './checkoutPhase'
import { nextCharge, totals } from './costs'
import type { Subscription } from '@/client'

describe('checkoutPhase', () => {
  it.each([
    ['open', 0, 'waiting'],
    ['open', SLOW_AFTER_MS, 'slow'],
    ['paid', 0, 'paid'],
    ['paid', SLOW_AFTER_MS, 'paid'],
    ['failed', 0, 'failed'],
    ['expired', 0, 'closed'],
  ] as const)('%s after %d ms is %s', (state, waited, phase) => {
    expect(checkoutPhase({ state }, waited)).toBe(phase)
  })

  it('follows only addresses that a browser may', () => {
    expect(paymentPage('https://checkout.example/c/pay/1')).toBe('https://checkout.example/c/pay/1')
    expect(paymentPage('javascript:alert(1)')).toBeUndefined()
    expect(paymentPage('/relative')).toBeUndefined()
    expect(paymentPage(undefined)).toBeUndefined()
  })

  it('finds the name in the host', () => expect(nameOfHost('museum.tenants.example.org')).toBe('museum'))
})

describe('costs', () => {
  const subscription = (more: Partial<Subscription>): Subscription => ({
    id: 'sub',
    product: 'collection',
    plan: 'starter',
    status: 'active',
    price: { amount_minor: 4_900, currency: 'EUR' },
    interval: 'month',
    period_end: '2026-12-01T00:00:00Z',
    cancel_at_period_end: false,
    tenants: [],
    ...more,
  })

  it('adds up what can be added up', () => {
    const list = [
      subscription({}),
      subscription({ price: { amount_minor: 19_900, currency: 'EUR' } }),
      subscription({ interval: 'year' }),
      subscription({ price: { amount_minor: 5_000, currency: 'USD' } }),
      subscription({ status: 'canceled' }),
    ]
    expect(totals(list)).toEqual([
      { interval: 'month', money: { amount_minor: 24_800, currency: 'EUR' } },
      { interval: 'year', money: { amount_minor: 4_900, currency: 'EUR' } },
      { interval: 'month', money: { amount_minor: 5_000, currency: 'USD' } },
    ])
  })

  it('does not charge what ends', () => {
    const ending = subscription({ period_end: '2026-11-25T00:00:00Z', cancel_at_period_end: true })
    expect(nextCharge([ending, subscription({})])?.toISOString()).toBe('2026-12-01T00:00:00.000Z')
    expect(nextCharge([ending])).toBeUndefined()
  })
})
