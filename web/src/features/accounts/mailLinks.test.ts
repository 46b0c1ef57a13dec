import { flushPromises } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import ConfirmEmailView from './views/ConfirmEmailView.vue'
import ConfirmView from './views/ConfirmView.vue'
import ResetPasswordView from './views/ResetPasswordView.vue'
import { render } from '../../../test/render'
import { problem, serve } from '../../../test/server'
import { session } from '../../../test/session'

afterEach(() => (window.location.hash = ''))

describe('a link in a mail', () => {
  it.each([
    ['confirms an address', ConfirmView, 'verify-email', { body: session() }],
    ['confirms a new address', ConfirmEmailView, 'confirm-email', {}],
  ])('%s only when somebody presses the button', async (_, view, act, answer) => {
    window.location.hash = '#token=fresh'
    const calls = serve({ [`POST /auth/${act}`]: answer })
    const { wrapper } = await render(view)
    await flushPromises()
    const acts = () => calls.filter(({ method }) => method !== 'GET')
    expect(acts()).toEqual([])
    await wrapper.get('main button').trigger('click')
    await vi.waitFor(() => expect(acts()[0]?.body).toEqual({ token: 'fresh' }))
  })

  it('that is of no use offers another, and no button that cannot work', async () => {
    window.location.hash = '#token=old'
    serve({ 'POST /auth/verify-email': problem(410, 'link_expired') })
    const { wrapper } = await render(ConfirmView)
    await wrapper.get('main button').trigger('click')
    await vi.waitFor(() => expect(wrapper.get('[role=alert]').text()).toContain('This link has expired'))
    const left = wrapper.findAll('main button').filter(({ element }) => !element.closest('[role=alert]'))
    expect(left).toEqual([])
    expect(wrapper.get('[role=alert]').text()).toContain('Send a new link')
  })

  it('tells the password manager whose password is changed', async () => {
    window.location.hash = '#token=fresh&email=ada%40museum.example'
    serve({})
    const { wrapper } = await render(ResetPasswordView)
    const username = wrapper.get<HTMLInputElement>('input[autocomplete=username]')
    expect(username.element.value).toBe('ada@museum.example')
  })
})
