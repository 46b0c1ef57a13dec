import { flushPromises } from '@vue/test-utils'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import ConfirmEmailView from './views/ConfirmEmailView.vue'
import ConfirmView from './views/ConfirmView.vue'
import { render, type Rendered } from '../../../test/render'
import { problem, serve } from '../../../test/server'
import { session } from '../../../test/session'

const link = {
  email: 'a@b.example',
  name: 'Ada',
  organization_name: 'Museum of Examples',
  asks_for_password: false,
}
const museum = { id: 'org_1', slug: 'museum', name: 'Museum of Examples', role: 'owner' }
const nobody = problem(401, 'unauthenticated')
const READ = 'POST /auth/verify-email/link'
const CONFIRM = 'POST /auth/verify-email'

beforeEach(() => {
  window.location.hash = '#token=secret'
})

async function ready(page: Rendered): Promise<void> {
  await vi.waitFor(() => expect(page.wrapper.find('button[type=submit], [role=alert]').exists()).toBe(true))
}

const confirmed = (calls: { path: string }[]) =>
  calls.filter(({ path }) => path.endsWith('/verify-email') || path.endsWith('/confirm-email'))

describe('the link of a sign-up', () => {
  it('says what it confirms and does nothing before the button is pressed', async () => {
    const calls = serve({
      'GET /session': nobody,
      [READ]: { body: link },
      [CONFIRM]: { body: session({ organizations: [museum as never] }) },
    })
    const page = await render(ConfirmView, { path: '/confirm' })
    await ready(page)
    await flushPromises()
    expect(page.wrapper.text()).toContain('Museum of Examples')
    expect(page.wrapper.text()).toContain('a@b.example')
    expect(confirmed(calls)).toEqual([])
    expect(page.wrapper.find('input[name=password]').exists()).toBe(false)
    await page.wrapper.get('form').trigger('submit')
    await vi.waitFor(() => expect(page.router.currentRoute.value.fullPath).toBe('/o/museum'))
    expect(confirmed(calls)).toMatchObject([{ body: { token: 'secret' } }])
  })

  it('asks for the password in another browser and says at the field that it is wrong', async () => {
    const detail = 'This is not the password that was chosen at this sign-up.'
    const calls = serve({
      'GET /session': nobody,
      [READ]: { body: { ...link, asks_for_password: true } },
      [CONFIRM]: problem(422, 'validation_failed', {
        errors: [{ pointer: '/password', code: 'password_wrong', detail }],
      }),
    })
    const page = await render(ConfirmView, { path: '/confirm' })
    await ready(page)
    await page.wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(confirmed(calls)).toEqual([])
    await page.wrapper.get('input[name=password]').setValue('mine')
    await page.wrapper.get('form').trigger('submit')
    await vi.waitFor(() => expect(page.wrapper.text()).toContain(detail))
    expect(confirmed(calls)).toMatchObject([{ body: { token: 'secret', password: 'mine' } }])
  })

  it('says who is logged in already, and that they will not be', async () => {
    const calls = serve({
      'GET /session': { body: session({ user: { ...session().user, email: 'grace@b.example' } }) },
      [READ]: { body: link },
    })
    const page = await render(ConfirmView, { path: '/confirm' })
    await ready(page)
    expect(page.wrapper.text()).toContain('You are logged in as grace@b.example')
    expect(confirmed(calls)).toEqual([])
  })

  it('says that it works no more', async () => {
    serve({ 'GET /session': nobody, [READ]: problem(410, 'link_expired') })
    const page = await render(ConfirmView, { path: '/confirm' })
    await vi.waitFor(() => expect(page.wrapper.text()).toContain('Sign up again'))
    expect(page.wrapper.find('form').exists()).toBe(false)
  })
})

describe('the link to a new address', () => {
  const other = { user: 'usr_2', name: 'Grace', email: 'grace@b.example' }

  it('waits for the button and tells whoever it is not for', async () => {
    const calls = serve({
      'GET /session': { body: session() },
      'POST /auth/confirm-email/link': { body: other },
      'POST /auth/confirm-email': { status: 204 },
    })
    const page = await render(ConfirmEmailView, { path: '/confirm-email' })
    const button = () => page.wrapper.findAll('button').find((found) => found.text() === 'Confirm address')
    await vi.waitFor(() => expect(button()).toBeDefined())
    expect(page.wrapper.text()).toContain('You are logged in as a@b.example')
    expect(confirmed(calls)).toEqual([])
    await button()?.trigger('click')
    await vi.waitFor(() => expect(page.wrapper.text()).toContain('Your address is changed'))
    expect(confirmed(calls)).toMatchObject([{ body: { token: 'secret' } }])
  })

  it('says nothing of who is logged in to that very person', async () => {
    serve({
      'GET /session': { body: session() },
      'POST /auth/confirm-email/link': { body: { ...other, user: 'usr_1' } },
    })
    const page = await render(ConfirmEmailView, { path: '/confirm-email' })
    await vi.waitFor(() => expect(page.wrapper.text()).toContain('Confirm address'))
    expect(page.wrapper.text()).not.toContain('You are logged in as')
  })
})
