import { flushPromises } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
import LoginView from './views/LoginView.vue'
import SignUpView from './views/SignUpView.vue'
import { render, type Rendered } from '../../../test/render'
import { problem, serve } from '../../../test/server'

const session = {
  body: {
    user: { id: 'usr_1', email: 'a@b.example', name: 'Ada' },
    csrf_token: 't',
    organizations: [],
    expires_at: '',
    second_factor: false,
    proved_until: '',
    second_factor_required: null,
    impersonation: null,
  },
}
const signedIn = { body: { result: 'session', session: session.body } }

/** Types, sends, and waits for what comes of it: another page, a refused field or a banner. */
async function fill({ wrapper, router }: Rendered, values: Record<string, string>): Promise<void> {
  const start = router.currentRoute.value.fullPath
  // The page puts the cursor into its first field by itself, a moment after it appears.
  await vi.waitFor(() => expect(document.activeElement?.tagName).toBe('INPUT'))
  for (const [name, value] of Object.entries(values)) await wrapper.get(`input[name=${name}]`).setValue(value)
  await wrapper.get('form').trigger('submit')
  await vi.waitFor(() => {
    const answered = wrapper.find('[role=alert], [aria-invalid=true]').exists()
    expect(answered || router.currentRoute.value.fullPath !== start).toBe(true)
  })
  await flushPromises()
}

describe('logging in', () => {
  it('goes back to where the person was sent from', async () => {
    serve({ 'POST /auth/login': signedIn })
    const page = await render(LoginView, { path: '/login?return=/o/museum/tenants' })
    const { router } = page
    await fill(page, { email: ' a@b.example ', password: 'secret' })
    expect(router.currentRoute.value.fullPath).toBe('/o/museum/tenants')
  })

  it('never leaves this site', async () => {
    serve({ 'POST /auth/login': signedIn })
    const page = await render(LoginView, { path: '/login?return=//evil.example' })
    const { router } = page
    await fill(page, { email: 'a@b.example', password: 'secret' })
    expect(router.currentRoute.value.fullPath).toBe('/')
  })

  it('says what is wrong and keeps what was typed', async () => {
    serve({ 'POST /auth/login': problem(401, 'invalid_credentials') })
    const page = await render(LoginView, { path: '/login' })
    const { wrapper } = page
    await fill(page, { email: 'a@b.example', password: 'secret' })
    expect(wrapper.get('[role=alert]').text()).toContain('Email and password do not match')
    expect(wrapper.get<HTMLInputElement>('input[name=password]').element.value).toBe('secret')
  })

  it('says how long to wait', async () => {
    const tooMany = { ...problem(429, 'too_many_attempts'), headers: { 'Retry-After': '170' } }
    serve({ 'POST /auth/login': tooMany })
    const page = await render(LoginView, { path: '/login' })
    const { wrapper } = page
    await fill(page, { email: 'a@b.example', password: 'secret' })
    expect(wrapper.get('[role=alert]').text()).toContain('Wait 3 min')
  })

  it('asks for what is missing without asking the server', async () => {
    const calls = serve({})
    const page = await render(LoginView, { path: '/login' })
    const { wrapper } = page
    await fill(page, { email: 'nonsense' })
    expect(wrapper.text()).toContain('Enter an address like name@example.org.')
    expect(wrapper.text()).toContain('Enter your password.')
    expect(calls.filter((call) => call.method === 'POST')).toEqual([])
  })
})

describe('signing up', () => {
  const typed = {
    name: 'Ada',
    email: 'a@b.example',
    password: 'correct horse battery',
    organization_name: 'Museum of Examples',
  }

  it('puts what the server refuses at its field', async () => {
    serve({
      'POST /auth/register': problem(422, 'validation_failed', {
        errors: [{ pointer: '/organization_name', code: 'invalid', detail: 'Use at least one letter.' }],
      }),
    })
    const page = await render(SignUpView, { path: '/signup' })
    const { wrapper } = page
    await fill(page, typed)
    const field = wrapper.get('input[name=organization_name]')
    expect(field.attributes('aria-invalid')).toBe('true')
    expect(
      document.getElementById(
        `${field
          .attributes('aria-describedby')
          ?.split(' ')
          .find((id) => id.endsWith('-error'))}`,
      )?.textContent,
    ).toContain('Use at least one letter.')
    await vi.waitFor(() => expect(document.activeElement).toBe(field.element))
    expect(wrapper.find('[role=alert]').exists()).toBe(false)
  })

  it('says when nobody answers', async () => {
    serve({ 'POST /auth/register': new TypeError('Failed to fetch') })
    const page = await render(SignUpView, { path: '/signup' })
    const { wrapper } = page
    await fill(page, typed)
    expect(wrapper.get('[role=alert]').text()).toContain('We could not reach the server')
  })

  it('goes on to the mail', async () => {
    const calls = serve({ 'POST /auth/register': { status: 202 } })
    const page = await render(SignUpView, { path: '/signup' })
    const { router } = page
    await fill(page, typed)
    expect(router.currentRoute.value.name).toBe('signup-sent')
    expect(calls.find((call) => call.path.endsWith('/register'))?.body).toEqual(typed)
  })
})
