import { describe, expect, it, vi } from 'vitest'
import AvatarForm from './components/AvatarForm.vue'
import { render } from '../../../test/render'

describe('a picture', () => {
  it('is sent as the bytes that it is', async () => {
    const sent: Request[] = []
    vi.stubGlobal('fetch', async (request: Request) => {
      sent.push(request)
      return new Response('{}', { status: 200, headers: { 'Content-Type': 'application/json' } })
    })
    const { wrapper } = await render(AvatarForm, { props: { name: 'Ada' } })
    const picture = new File([new Uint8Array([137, 80, 78, 71])], 'ada.png', { type: 'image/png' })
    const input = wrapper.get<HTMLInputElement>('input[type=file]')
    Object.defineProperty(input.element, 'files', { value: [picture] })
    await input.trigger('change')
    const save = wrapper.findAll('button').find((button) => button.text() === 'Save picture')
    await save?.trigger('click')
    await vi.waitFor(() => expect(sent.map(({ method }) => method)).toContain('PUT'))
    const put = sent.find(({ method }) => method === 'PUT')
    expect(put?.headers.get('Content-Type')).toBe('image/png')
    expect([...new Uint8Array((await put?.arrayBuffer()) ?? [])]).toEqual([137, 80, 78, 71])
  })
})
