import { flushPromises } from '@vue/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import CheckoutReturnView from './views/CheckoutReturnView.vue'
import { FakeEventSource } from '../../../test/eventSource'
import { render } from '../../../test/render'
import { problem, serve } from '../../../test/server'
import type { Checkout, Operation } from '@/client'

const checkout = (more: Partial<Checkout>): Checkout => ({
  id: 'chk_1',
  state: 'open',
  url: 'https://checkout.example/c/pay/1',
  tenant_id: 'ten_1',
  host: 'museum.tenants.example.org',
  product: 'collection',
  plan: 'starter',
  price: { amount_minor: 4_900, currency: 'EUR' },
  interval: 'month',
  expires_at: '2026-11-21T13:00:00Z',
  created_at: '2026-11-21T12:00:00Z',
  ...more,
})

const operation = (state: Operation['state']): Operation => ({
  id: 'op_1',
  kind: 'provision',
  tenant_id: 'ten_1',
  state,
  created_at: '2026-11-21T12:00:00Z',
  started_at: '2026-11-21T12:00:00Z',
  ended_at: state === 'done' ? '2026-11-21T12:00:09Z' : undefined,
  cause: 'checkout paid',
  attempt: 1,
  steps: [{ name: 'namespace', title: 'Create the namespace', state: 'done', attempts: 1, duration_ms: 90 }],
})

const tenant = (state: string) => ({
  body: {
    id: 'ten_1',
    name: 'museum',
    host: 'museum.tenants.example.org',
    url: 'https://museum.tenants.example.org',
    state,
    operations: [],
  },
})

const path = '/o/museum/checkouts/chk_1'
const at = '/organizations/museum'
const settle = async () => {
  for (let round = 0; round < 6; round++) await flushPromises()
}

beforeEach(() => {
  vi.stubGlobal('EventSource', FakeEventSource)
  FakeEventSource.all = []
})

describe('the page that people come back to after paying', () => {
  it('does not believe the redirect: it waits, asks again, and then shows the set-up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
    let paid = false
    const calls = serve({
      [`GET ${at}/checkouts/chk_1`]: () => ({
        body: paid ? checkout({ state: 'paid', url: undefined, operation_id: 'op_1' }) : checkout({}),
      }),
      [`GET ${at}/operations/op_1`]: { body: operation('running') },
      [`GET ${at}/tenants/ten_1`]: tenant('provisioning'),
    })
    const { wrapper } = await render(CheckoutReturnView, { path })
    await vi.advanceTimersByTimeAsync(50)
    expect(wrapper.get('h1').text()).toBe('Waiting for your payment')
    expect(wrapper.text()).not.toContain('Payment received')

    paid = true
    await vi.advanceTimersByTimeAsync(1_200)
    expect(calls.filter((call) => call.path.endsWith('/checkouts/chk_1')).length).toBeGreaterThan(1)
    expect(wrapper.get('h1').text()).toBe('Payment received')
    await vi.advanceTimersByTimeAsync(50)
    expect(wrapper.text()).toContain('Create the namespace')
    expect(wrapper.text()).not.toContain('Open museum')
  })

  it('explains a long silence and offers the payment page', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
    serve({ [`GET ${at}/checkouts/chk_1`]: { body: checkout({}) } })
    const { wrapper } = await render(CheckoutReturnView, { path })
    await vi.advanceTimersByTimeAsync(21_500)
    expect(wrapper.get('h1').text()).toBe('Still waiting for your payment')
    const links = wrapper.findAll('a').map((link) => link.attributes('href'))
    expect(links).toContain('https://checkout.example/c/pay/1')
  })

  it('opens the tenant when it runs', async () => {
    serve({
      [`GET ${at}/checkouts/chk_1`]: { body: checkout({ state: 'paid', operation_id: 'op_1' }) },
      [`GET ${at}/operations/op_1`]: { body: operation('done') },
      [`GET ${at}/tenants/ten_1`]: tenant('active'),
    })
    const { wrapper } = await render(CheckoutReturnView, { path })
    await settle()
    const open = wrapper.findAll('a').find((link) => link.text() === 'Open museum')
    expect(open?.attributes('href')).toBe('https://museum.tenants.example.org')
  })

  it.each([
    [
      'failed',
      { failure: { code: 'contract_ended', detail: 'It ended. The payment will be refunded.' } },
      'Try another way to pay',
    ],
    ['expired', {}, 'Start again'],
  ] as const)('leads on from a checkout that %s', async (state, more, action) => {
    serve({ [`GET ${at}/checkouts/chk_1`]: { body: checkout({ state, url: undefined, ...more }) } })
    const { wrapper } = await render(CheckoutReturnView, { path })
    await settle()
    const way = wrapper.findAll('a').find((link) => link.text() === action)
    expect(way?.attributes('href')).toBe(
      '/o/museum/products?product=collection&plan=starter&interval=month&name=museum',
    )
    const told = state === 'failed' ? 'It ended. The payment will be refunded.' : 'Nothing was charged'
    expect(wrapper.text()).toContain(told)
    expect(wrapper.text().includes('Nothing was charged')).toBe(state !== 'failed')
  })

  it('says so when there is no such checkout', async () => {
    serve({ [`GET ${at}/checkouts/chk_1`]: problem(404, 'not_found') })
    const { wrapper } = await render(CheckoutReturnView, { path })
    await settle()
    expect(wrapper.get('[role=alert]').text()).toContain('Not found')
  })
})
