import { beforeEach, describe, expect, it, vi } from 'vitest'
import FirstOperatorView from './views/FirstOperatorView.vue'
import { render } from '../../../test/render'
import { problem, serve } from '../../../test/server'
import { typeInto } from '../../../test/typing'

const FIRST = 'POST /operator/auth/first'
const challenge = { token: 'chl', methods: ['totp'], expires_at: '2026-11-21T12:05:00Z' }
const operator = { id: 'opr_1', email: 'root@b.example', role: 'admin' }
const typed = { email: 'root@b.example', password: 'correct horse battery' }

beforeEach(() => {
  window.location.hash = '#token=secret'
})

async function introduce() {
  const page = await render(FirstOperatorView, { path: '/operator/login' })
  for (const [name, value] of Object.entries(typed)) await typeInto(`input[name=${name}]`, value)
  await page.wrapper.get('form').trigger('submit')
  return page
}

describe('the link for the first operator', () => {
  it('leads through the second factor to the console', async () => {
    const calls = serve({
      [FIRST]: { body: { result: 'set_up_second_factor', challenge } },
      'POST /operator/auth/second-factor/totp': {
        body: { secret: 'ABCDEFGH', otpauth_uri: 'otpauth://totp/x', qr_svg: '<svg/>' },
      },
      'POST /operator/auth/second-factor/confirm': {
        body: {
          session: { operator, csrf_token: 't', expires_at: '2026-11-22T12:00:00Z' },
          recovery_codes: ['one', 'two'],
        },
      },
    })
    const { wrapper, router } = await introduce()
    await typeInto('input[autocomplete=one-time-code]', '123456')
    expect(calls.find(({ path }) => path.endsWith('/auth/first'))?.body).toEqual({
      token: 'secret',
      ...typed,
    })
    await wrapper.get('form').trigger('submit')
    await vi.waitFor(() => expect(wrapper.text()).toContain('Recovery codes'))
    await wrapper.get('[role=checkbox]').trigger('click')
    const open = () => wrapper.findAll('button').find((button) => button.text() === 'Open the console')
    await vi.waitFor(() => expect(open()?.attributes('disabled')).toBeUndefined())
    await open()?.trigger('click')
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('fleet'))
  })

  it('says at the field what is wrong, and keeps what was typed', async () => {
    serve({
      [FIRST]: problem(422, 'password_too_weak', {
        errors: [{ pointer: '/password', code: 'too_weak', detail: 'This password is easy to guess.' }],
      }),
    })
    const { wrapper } = await introduce()
    await vi.waitFor(() => expect(wrapper.text()).toContain('This password is easy to guess.'))
    const fields = wrapper.findAll('input')
    expect(fields.map((field) => field.attributes('autocomplete'))).toEqual(['username', 'new-password'])
    expect(fields.map((field) => field.element.value)).toEqual(Object.values(typed))
    expect(fields[1]?.attributes('aria-invalid')).toBe('true')
  })

  it('says that it works no more', async () => {
    serve({ [FIRST]: problem(410, 'link_expired') })
    const { wrapper } = await introduce()
    await vi.waitFor(() => expect(wrapper.text()).toContain('there is an operator by now'))
    expect(wrapper.find('form').exists()).toBe(false)
  })
})
