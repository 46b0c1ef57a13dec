import { beforeAll, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import OperatorLogInAgain from './components/OperatorLogInAgain.vue'
import { rememberOperatorSession } from './session'
import OperatorAccountView from './views/OperatorAccountView.vue'
import { ended } from '@/app/sessionEnded'
import { watchTyping } from '@/app/typed'
import { render, type Rendered } from '../../../test/render'
import { problem, serve } from '../../../test/server'
import { dialog, typeInto } from '../../../test/typing'

const operator = { id: 'opr_1', email: 'ops@b.example', role: 'admin' as const }
const session = (csrf_token = 't') => ({ operator, csrf_token, expires_at: '2026-11-22T12:00:00Z' })
const CHANGE = 'POST /operator/auth/password'
const typed = { current_password: 'the old one', password: 'correct horse battery' }

const Page = defineComponent(() => () => [
  h(OperatorAccountView),
  ended.value ? h(OperatorLogInAgain, { onAnswer: (loggedIn) => ended.value?.answer(loggedIn) }) : null,
])

async function change(): Promise<Rendered> {
  rememberOperatorSession(session())
  const page = await render(Page, { path: '/operator' })
  for (const [name, value] of Object.entries(typed)) await typeInto(`input[name=${name}]`, value)
  await page.wrapper.get('form').trigger('submit')
  return page
}

beforeAll(watchTyping)

describe('an operator who changes their password', () => {
  it('tells the password manager whose it is, which is old and which new', async () => {
    serve({ 'GET /operator/session': { body: session() }, [CHANGE]: { status: 204 } })
    const { wrapper } = await change()
    expect(
      wrapper.findAll('input').map((input) => [input.attributes('autocomplete'), input.element.value]),
    ).toEqual([
      ['username', 'ops@b.example'],
      ['current-password', typed.current_password],
      ['new-password', typed.password],
    ])
    await vi.waitFor(() => expect(document.body.textContent).toContain('Your password is changed'))
    expect(wrapper.get<HTMLInputElement>('input[name=password]').element.value).toBe('')
  })

  it('reads at each field what the server refuses, with nothing lost', async () => {
    serve({
      'GET /operator/session': { body: session() },
      [CHANGE]: problem(422, 'validation_failed', {
        errors: [
          {
            pointer: '/current_password',
            code: 'password_wrong',
            detail: 'This is not your present password.',
          },
          { pointer: '/password', code: 'too_weak', detail: 'This password is easy to guess.' },
        ],
      }),
    })
    const { wrapper } = await change()
    await vi.waitFor(() => expect(wrapper.text()).toContain('This is not your present password.'))
    expect(wrapper.text()).toContain('This password is easy to guess.')
    for (const [name, value] of Object.entries(typed)) {
      const field = wrapper.get<HTMLInputElement>(`input[name=${name}]`)
      expect(field.attributes('aria-invalid')).toBe('true')
      expect(field.element.value).toBe(value)
    }
    expect(wrapper.find('form [role=alert]').exists()).toBe(false)
  })

  it('logs in again by password and code where the session has ended, and the change is made', async () => {
    let known = false
    const calls = serve({
      'GET /operator/session': { body: session() },
      [CHANGE]: () => (known ? { status: 204 } : problem(401, 'unauthenticated')),
      'POST /operator/auth/login': {
        body: {
          result: 'second_factor',
          challenge: { token: 'chl', methods: ['totp'], expires_at: '2026-11-21T12:05:00Z' },
        },
      },
      'POST /operator/auth/login/second-factor': () => {
        known = true
        return { body: session('fresh') }
      },
    })
    await change()
    await typeInto('[role=dialog] input[name=password]', 'secret')
    dialog()?.querySelector('form')?.requestSubmit()
    await typeInto('[role=dialog] input[name=code]', '123456')
    dialog()?.querySelector('form')?.requestSubmit()
    const changes = () => calls.filter(({ path }) => path.endsWith('/auth/password'))
    await vi.waitFor(() => expect(changes()).toHaveLength(2))
    expect(changes()[1]?.body).toEqual(typed)
    expect(changes()[1]?.headers.get('X-CSRF-Token')).toBe('fresh')
    await vi.waitFor(() => expect(dialog()).toBeNull())
  })
})
