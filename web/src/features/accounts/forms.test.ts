import { flushPromises } from '@vue/test-utils'
import { describe, expect, it, vi } from 'vitest'
// What the log-in page loads when it is needed: here at once, so that nobody waits for it.
import './components/SecondFactorForm.vue'
import LoginView from './views/LoginView.vue'
import SignUpView from './views/SignUpView.vue'
import { render, type Rendered } from '../../../test/render'
import { problem, serve } from '../../../test/server'
import { session } from '../../../test/session'

const signedIn = { body: { result: 'session', session: session() } }
const challenged = {
  body: {
    result: 'second_factor',
    challenge: { token: 'chl', methods: ['totp', 'recovery_code'], expires_at: '2026-11-21T12:05:00Z' },
  },
}

/** Types, sends, and waits for what comes of it: another page, a refused field or a banner. */
async function fill(
  { wrapper, router }: Rendered,
  values: Record<string, string>,
  done: () => boolean = () => false,
): Promise<void> {
  const start = router.currentRoute.value.fullPath
  // The page puts the cursor into its first field by itself, a moment after it appears.
  await vi.waitFor(() => expect(document.activeElement?.tagName).toBe('INPUT'))
  for (const [name, value] of Object.entries(values)) await wrapper.get(`input[name=${name}]`).setValue(value)
  await wrapper.get('form').trigger('submit')
  await vi.waitFor(() => {
    const answered = wrapper.find('[role=alert], [aria-invalid=true]').exists()
    expect(done() || answered || router.currentRoute.value.fullPath !== start).toBe(true)
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

  it('goes back to the server when it was sent by single sign-on', async () => {
    serve({ 'POST /auth/login': signedIn })
    const assign = vi.spyOn(window.location, 'assign').mockImplementation(() => undefined)
    const next = '/oauth/authorize?client_id=collection&state=x'
    const page = await render(LoginView, { path: `/login?next=${encodeURIComponent(next)}` })
    await fill(page, { email: 'a@b.example', password: 'secret' }, () => assign.mock.calls.length > 0)
    expect(assign).toHaveBeenCalledWith(next)
    assign.mockRestore()
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

describe('the second step of logging in', () => {
  const asked = ({ wrapper }: Rendered) => wrapper.find('input[name=code]').exists()

  async function passPassword(path = '/login'): Promise<Rendered> {
    const page = await render(LoginView, { path })
    await fill(page, { email: 'a@b.example', password: 'secret' }, () => asked(page))
    return page
  }

  it('asks for a code that a phone can fill in, and goes on where the person wanted to be', async () => {
    const calls = serve({ 'POST /auth/login': challenged, 'POST /auth/login/second-factor': signedIn })
    const page = await passPassword('/login?return=/o/museum/tenants')
    expect(page.wrapper.get('input[name=code]').attributes('autocomplete')).toBe('one-time-code')
    await fill(page, { code: '123 456' })
    expect(calls.at(-1)?.body).toEqual({ challenge: 'chl', code: '123456' })
    expect(page.router.currentRoute.value.fullPath).toBe('/o/museum/tenants')
  })

  it('says at the field that a code is wrong', async () => {
    serve({
      'POST /auth/login': challenged,
      'POST /auth/login/second-factor': problem(401, 'code_invalid'),
    })
    const page = await passPassword()
    await fill(page, { code: '000000' })
    const field = page.wrapper.get('input[name=code]')
    expect(field.attributes('aria-invalid')).toBe('true')
    expect(page.wrapper.text()).toContain('This code is not right')
  })

  it('takes a recovery code as it is written', async () => {
    const calls = serve({ 'POST /auth/login': challenged, 'POST /auth/login/second-factor': signedIn })
    const page = await passPassword('/login?return=/o/museum/tenants')
    await page.wrapper
      .findAll('button')
      .find((button) => button.text() === 'Use a recovery code')
      ?.trigger('click')
    expect(page.wrapper.get('input[name=code]').attributes('autocomplete')).toBe('off')
    await fill(page, { code: ' k7wq-2mzt-9xfa ' })
    expect(calls.at(-1)?.body).toEqual({ challenge: 'chl', code: 'k7wq-2mzt-9xfa' })
  })

  it('starts over with the address kept when it took too long', async () => {
    serve({
      'POST /auth/login': challenged,
      'POST /auth/login/second-factor': problem(410, 'challenge_expired'),
    })
    const page = await passPassword()
    await fill(page, { code: '123456' }, () => !asked(page))
    expect(page.wrapper.text()).toContain('longer than five minutes')
    expect(page.wrapper.get<HTMLInputElement>('input[name=email]').element.value).toBe('a@b.example')
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
