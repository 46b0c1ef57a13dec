import { createMemoryHistory } from 'vue-router'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import CustomerLogInAgain from './components/CustomerLogInAgain.vue'
import ProfileForm from './components/ProfileForm.vue'
import { rememberSession } from './session'
// What the router loads when it is needed: here at once, so that nobody waits for it.
import './AccountLayout.vue'
import './views/LoginView.vue'
import './views/ProfileView.vue'
import { queryClient } from '@/app/queryClient'
import { buildRouter } from '@/app/router'
import { ended } from '@/app/sessionEnded'
import { watchTyping } from '@/app/typed'
import { getProfile } from '@/client'
import { render, type Rendered } from '../../../test/render'
import { problem, serve } from '../../../test/server'
import { session } from '../../../test/session'
import { dialog, typeInto } from '../../../test/typing'

const profile = {
  ...session().user,
  notifications: { new_device: true, tenant_ready: true, payment_failed: true, product_news: false },
  second_factor: false,
  created_at: '2026-11-01T12:00:00Z',
}
const SAVE = 'PATCH /me'
const LOG_IN = 'POST /auth/login'
const gone = problem(401, 'unauthenticated')
const fresh = session({ csrf_token: 'fresh' })
const challenge = { token: 'chl', methods: ['totp'], expires_at: '2026-11-21T12:05:00Z' }

/** The form, and the dialog as the application shows it. */
const Page = defineComponent(() => () => [
  h(ProfileForm, { profile }),
  ended.value ? h(CustomerLogInAgain, { onAnswer: (loggedIn) => ended.value?.answer(loggedIn) }) : null,
])

/** The server forgets the session and knows a new one as soon as this says so. */
function forgetful() {
  let known = false
  return {
    save: () => (known ? { body: { ...profile, name: 'Grace' } } : gone),
    letIn: () => {
      known = true
      return { body: { result: 'session', session: fresh } }
    },
  }
}

async function typeAndSave(): Promise<Rendered> {
  const page = await render(Page, { path: '/account/profile' })
  rememberSession(session())
  await typeInto('input[name=name]', 'Grace')
  await page.wrapper.get('form').trigger('submit')
  return page
}

async function logIn(): Promise<void> {
  await typeInto('[role=dialog] input[name=password]', 'secret')
  dialog()?.querySelector('form')?.requestSubmit()
}

const saves = (calls: { method: string; path: string; headers: Headers; body: unknown }[]) =>
  calls.filter(({ method, path }) => method === 'PATCH' && path.endsWith('/me'))

beforeAll(watchTyping)
beforeEach(() => ended.value?.answer(false))

describe('a session that ends while somebody types', () => {
  it('is opened again over the page, and what was asked is done with what was typed', async () => {
    const server = forgetful()
    const calls = serve({
      [SAVE]: server.save,
      [LOG_IN]: server.letIn,
      'GET /session': { body: fresh },
    })
    const { router } = await typeAndSave()
    await vi.waitFor(() => expect(dialog()?.textContent).toContain('What you typed is still here'))
    const fields = () => [...(dialog()?.querySelectorAll('input') ?? [])]
    await vi.waitFor(() =>
      expect(fields().map(({ autocomplete }) => autocomplete)).toEqual(['username', 'current-password']),
    )
    expect(fields()[0]?.value).toBe('a@b.example')
    await logIn()
    await vi.waitFor(() => expect(saves(calls)).toHaveLength(2))
    expect(saves(calls)[1]?.body).toMatchObject({ name: 'Grace' })
    expect(saves(calls)[1]?.headers.get('X-CSRF-Token')).toBe('fresh')
    await vi.waitFor(() => expect(dialog()).toBeNull())
    expect(router.currentRoute.value.fullPath).toBe('/account/profile')
  })

  it('asks for the code of whoever has a second factor', async () => {
    const server = forgetful()
    const calls = serve({
      [SAVE]: server.save,
      [LOG_IN]: { body: { result: 'second_factor', challenge } },
      'POST /auth/login/second-factor': server.letIn,
      'GET /session': { body: fresh },
    })
    await typeAndSave()
    await logIn()
    await typeInto('[role=dialog] input[autocomplete=one-time-code]', '123456')
    dialog()?.querySelector('form')?.requestSubmit()
    await vi.waitFor(() => expect(saves(calls)).toHaveLength(2))
    expect(calls.find(({ path }) => path.endsWith('/login/second-factor'))?.body).toEqual({
      challenge: 'chl',
      code: '123456',
    })
  })

  it('says in the dialog that the password is wrong', async () => {
    serve({ [SAVE]: gone, [LOG_IN]: problem(401, 'invalid_credentials') })
    await typeAndSave()
    await logIn()
    await vi.waitFor(() => expect(dialog()?.textContent).toContain('Email and password do not match'))
  })

  it('begins anew for somebody else, and sends nothing of what the first one typed', async () => {
    const reload = vi.spyOn(window.location, 'reload').mockImplementation(() => undefined)
    const other = session({ user: { ...session().user, id: 'usr_2', email: 'other@b.example' } })
    const calls = serve({ [SAVE]: gone, [LOG_IN]: { body: { result: 'session', session: other } } })
    await typeAndSave()
    await logIn()
    await vi.waitFor(() => expect(reload).toHaveBeenCalled())
    expect(saves(calls)).toHaveLength(1)
    reload.mockRestore()
  })

  it('leaves everything as it is when the person does not want to, and asks again at the next try', async () => {
    const calls = serve({ [SAVE]: gone, 'GET /me': gone })
    const { wrapper } = await typeAndSave()
    await vi.waitFor(() => expect(dialog()).not.toBeNull())
    ended.value?.answer(false)
    await vi.waitFor(() =>
      expect(wrapper.get('form [role=alert]').text()).toContain('Your session has ended'),
    )
    expect(wrapper.get<HTMLInputElement>('input[name=name]').element.value).toBe('Grace')
    // What the page asks by itself meanwhile opens nothing.
    await expect(getProfile()).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(ended.value).toBeUndefined()
    await wrapper.get('form').trigger('submit')
    await vi.waitFor(() => expect(ended.value).toBeDefined())
    expect(saves(calls)).toHaveLength(2)
  })

  it('takes the token of a session that the same person opened in another tab', async () => {
    const calls = serve({
      [SAVE]: ({ headers }) =>
        headers.get('X-CSRF-Token') === 'fresh' ? { body: profile } : problem(403, 'csrf_token_invalid'),
      'GET /session': { body: fresh },
    })
    await typeAndSave()
    await vi.waitFor(() => expect(saves(calls)).toHaveLength(2))
    expect(ended.value).toBeUndefined()
  })

  it('takes nothing of a session that somebody else opened there', async () => {
    const other = session({ csrf_token: 'other', user: { ...session().user, id: 'usr_2' } })
    const calls = serve({ [SAVE]: problem(403, 'csrf_token_invalid'), 'GET /session': { body: other } })
    const { wrapper } = await typeAndSave()
    await vi.waitFor(() => expect(wrapper.get('form [role=alert]').text()).toContain('out of date'))
    expect(saves(calls)).toHaveLength(1)
  })
})

describe('whoever is no longer let in', () => {
  const ask = () => queryClient.fetchQuery({ queryKey: ['x'], queryFn: () => getProfile() })

  async function onPage() {
    serve({ 'GET /session': { body: session() }, 'GET /me': gone })
    await render(Page)
    const router = buildRouter(createMemoryHistory())
    await router.push('/account/profile')
    return router
  }

  it('is sent to log in when there is nothing to lose', async () => {
    const router = await onPage()
    await ask().catch(() => undefined)
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('login'))
    expect(router.currentRoute.value.query).toEqual({ return: '/account/profile', ended: '1' })
  })

  it('stays where something is typed', async () => {
    const router = await onPage()
    rememberSession(session({ csrf_token: 'another session' }))
    await typeInto('input[name=name]', 'Grace')
    const asked = ask().catch(() => undefined)
    await vi.waitFor(() => expect(ended.value?.audience).toBe('customer'))
    ended.value?.answer(false)
    await asked
    expect(router.currentRoute.value.name).toBe('account-profile')
  })

  it('cannot log in as the customer whom they only looked at', async () => {
    const impersonation = { operator_email: 'o@b.example', reason: 'why', expires_at: '2026-11-22T12:00:00Z' }
    const router = await onPage()
    rememberSession(session({ impersonation }))
    await typeInto('input[name=name]', 'Grace')
    await ask().catch(() => undefined)
    expect(ended.value).toBeUndefined()
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('login'))
  })
})
