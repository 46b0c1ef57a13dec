import { defineComponent, h, ref, shallowRef } from 'vue'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import OperationTimeline from './components/OperationTimeline.vue'
import { useOperationStream } from './operationStream'
import { operationSource } from './queries'
import { FakeEventSource } from '../../../test/eventSource'
import { render } from '../../../test/render'
import { serve } from '../../../test/server'
import type { Operation } from '@/client'

const operation = (state: Operation['state'], done: number): Operation => ({
  id: 'op_1',
  kind: 'provision',
  tenant_id: 'ten_1',
  state,
  created_at: '2026-11-21T12:00:00Z',
  cause: 'checkout paid',
  attempt: 1,
  steps: ['Namespace', 'Release'].map((title, index) => ({
    name: title,
    title,
    state: index < done ? 'done' : 'pending',
    attempts: 1,
  })),
})

const Page = defineComponent(() => {
  const source = shallowRef(operationSource('museum', 'op_1'))
  const { operation: shown, connection } = useOperationStream(source)
  return () =>
    shown.value ? h(OperationTimeline, { operation: shown.value, connection: connection.value }) : null
})

async function page(first: Operation) {
  const snapshot = ref(first)
  const calls = serve({ 'GET /organizations/museum/operations/op_1': () => ({ body: snapshot.value }) })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  const { wrapper } = await render(Page)
  await vi.advanceTimersByTimeAsync(20)
  const stream = () => FakeEventSource.all.at(-1)
  return { wrapper, stream, calls, snapshot }
}

beforeEach(() => {
  vi.stubGlobal('EventSource', FakeEventSource)
  FakeEventSource.all = []
})

describe('an operation as it happens', () => {
  it('follows the stream to its end', async () => {
    const { wrapper, stream } = await page(operation('running', 0))
    expect(stream()?.url).toBe('/api/v1/organizations/museum/operations/op_1/events')
    stream()?.open()
    stream()?.send('operation', operation('running', 1))
    await vi.advanceTimersByTimeAsync(10)
    expect(wrapper.text()).toContain('Live')
    stream()?.send('operation', operation('done', 2))
    await vi.advanceTimersByTimeAsync(10)
    expect(wrapper.text()).toContain('Done')
    expect(wrapper.text()).not.toContain('Live')
    expect(stream()?.readyState).toBe(FakeEventSource.CLOSED)
  })

  it('says that it is reconnecting, and recovers', async () => {
    const { wrapper, stream } = await page(operation('running', 0))
    stream()?.open()
    stream()?.lose(false)
    await vi.advanceTimersByTimeAsync(10)
    expect(wrapper.text()).toContain('Reconnecting')
    stream()?.open()
    await vi.advanceTimersByTimeAsync(10)
    expect(wrapper.text()).toContain('Live')
  })

  it('asks again and again where the stream cannot be had', async () => {
    const { wrapper, stream, calls, snapshot } = await page(operation('running', 0))
    stream()?.lose(true)
    await vi.advanceTimersByTimeAsync(10)
    expect(wrapper.text()).toContain('Checking every 2 s')
    const before = calls.length
    snapshot.value = operation('done', 2)
    await vi.advanceTimersByTimeAsync(2_500)
    expect(calls.length).toBeGreaterThan(before)
    expect(wrapper.text()).toContain('Done')
  })

  it('ignores an event that it cannot read', async () => {
    const { wrapper, stream } = await page(operation('running', 1))
    stream()?.open()
    stream()?.send('operation', { id: 7 })
    await vi.advanceTimersByTimeAsync(10)
    expect(wrapper.text()).toContain('Namespace')
  })

  it('opens no stream for what has ended', async () => {
    await page(operation('undone', 0))
    expect(FakeEventSource.all).toEqual([])
  })
})
