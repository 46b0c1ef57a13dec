import { flushPromises } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import ProductsView from './views/ProductsView.vue'
import { render } from '../../../test/render'
import { problem, serve } from '../../../test/server'

const product = {
  key: 'collection',
  name: 'Collection',
  description: 'Catalogue and publish a collection.',
  delivery: 'dedicated',
  plans: [
    {
      key: 'starter',
      name: 'Starter',
      description: 'For a small collection.',
      rank: 1,
      highlight: false,
      features: [],
      limits: {},
      prices: [
        {
          lookup_key: 'collection_starter_month_eur',
          interval: 'month',
          amount: { amount_minor: 4_900, currency: 'EUR' },
        },
      ],
    },
  ],
}
const organization = {
  id: 'org_1',
  slug: 'museum',
  name: 'Museum',
  permissions: ['billing.manage', 'tenants.create'],
  subscriptions: [],
}
const begin = 'POST /organizations/museum/checkouts'

async function page(answer: Parameters<typeof serve>[0][string]) {
  const calls = serve({
    'GET /products': { body: { items: [product] } },
    'GET /organizations/museum': { body: organization },
    'GET /organizations/museum/tenant-names/museum': {
      body: { name: 'museum', available: true, host: 'museum.tenants.example.org' },
    },
    [begin]: answer,
  })
  const leave = vi.spyOn(window.location, 'assign').mockImplementation(() => undefined)
  const { wrapper } = await render(ProductsView, { path: '/o/museum/products' })
  await vi.waitFor(() => expect(wrapper.find('form').exists()).toBe(true))
  const keys = () =>
    calls.filter(({ method }) => method === 'POST').map(({ headers }) => headers.get('Idempotency-Key'))
  async function buy(): Promise<void> {
    const before = keys().length
    await wrapper.get('form').trigger('submit')
    await vi.waitFor(() => expect(keys().length).toBe(before + 1))
    await flushPromises()
  }
  return { wrapper, buy, keys, leave }
}

afterEach(() => vi.restoreAllMocks())

describe('buying', () => {
  it('says what is paid, and how often', async () => {
    const { wrapper } = await page(problem(503, 'payment_provider_unavailable'))
    expect(wrapper.text().replaceAll('\u00a0', ' ')).toContain('You pay €49 a month for Starter')
  })

  it('sends the same purchase again after a lost answer', async () => {
    const { buy, keys } = await page(new TypeError('Failed to fetch'))
    await buy()
    await buy()
    expect(keys()[0]).toBeTruthy()
    expect(keys()[1]).toBe(keys()[0])
  })

  it('begins another purchase after one was answered, as with the browser’s way back', async () => {
    const { buy, keys, leave } = await page({
      status: 201,
      body: { id: 'chk_1', url: 'https://checkout.example/c/pay/1' },
    })
    await buy()
    expect(leave).toHaveBeenCalledWith('https://checkout.example/c/pay/1')
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
    await buy()
    expect(keys()[1]).not.toBe(keys()[0])
  })
})
