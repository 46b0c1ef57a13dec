/** What a person does with an account of their own, in Chromium, against running parts: `dev/test/journey`. */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { signUp, type Person } from './customer.ts'
import { autofill, png, refusedAt } from './forms.ts'
import { arrange, linkTo, tenantry } from './parts.ts'
import { journey, newWindow, openScene, run } from './scene.ts'

const person: Person = {
  email: `maria.${run}@archive.example`,
  password: 'nine slow rivers bend',
  organization: `Archive of Journeys ${run}`,
}
const newcomer: Person = {
  email: `olga.${run}@gallery.example`,
  password: 'three calm foxes wait',
  organization: `Gallery of Journeys ${run}`,
}
const newEmail = `maria.new.${run}@archive.example`
const newPassword = 'four tall windows open'
const ELSEWHERE = {
  userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0',
}
const SVG = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>',
)

describe('a person and their account', () => {
  const scene = openScene()
  let elsewhere: Page

  const open = (path: string) => scene.page.goto(tenantry + path)
  const button = (name: string): Locator => scene.page.getByRole('button', { name, exact: true })

  async function logIn(page: Page, { email, password }: { email: string; password: string }): Promise<void> {
    await page.getByLabel('Email').fill(email)
    await page.getByLabel('Password', { exact: true }).fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.waitForURL((url) => url.pathname !== '/login')
  }

  /** Whoever opens a page there that is yet to be read from the server finds themselves at the log-in page. */
  async function isOutAt(page: Page, link: string): Promise<void> {
    await page.getByRole('link', { name: link }).filter({ visible: true }).first().click()
    await page.waitForURL((url) => url.pathname === '/login')
    await page.getByText('Your session has ended').waitFor()
  }

  journey(scene, 'password managers know every field', async () => {
    await open('/login')
    assert.deepEqual(await autofill(scene.page), ['username', 'current-password'])
    await open('/signup')
    assert.deepEqual(await autofill(scene.page), ['name', 'email', 'new-password', 'organization'])
    await open('/forgot-password')
    assert.deepEqual(await autofill(scene.page), ['username'])
    await open('/signup/resend')
    assert.deepEqual(await autofill(scene.page), ['username'])
    await open('/operator/login')
    assert.deepEqual(await autofill(scene.page), ['username', 'current-password'])
    await signUp(scene.page, person)
    await open('/account/security')
    assert.deepEqual(await autofill(scene.page), ['username', 'current-password', 'new-password'])
    assert.equal(await scene.page.locator('input[autocomplete=username]').inputValue(), person.email)
  })

  journey(scene, 'name, language and time zone are kept', async () => {
    const { page } = scene
    await open('/account/profile')
    const name = page.getByLabel('Your name')
    await name.fill('x'.repeat(300))
    assert.match(await refusedAt(name, button('Save profile')), /200/)
    await name.fill('María Beispiel')
    await page.getByLabel('Language and region').selectOption('de-AT')
    await page.getByLabel('Time zone').selectOption('Europe/Vienna')
    await button('Save profile').click()
    await page.getByText('Your profile is saved').first().waitFor()
    await page.reload()
    assert.equal(await name.inputValue(), 'María Beispiel')
    assert.equal(await page.getByLabel('Language and region').inputValue(), 'de-AT')
    assert.equal(await page.getByLabel('Time zone').inputValue(), 'Europe/Vienna')
    await button('Account of María Beispiel').waitFor()
  })

  journey(scene, 'a picture is shown and taken away, and a drawing with a script is refused', async () => {
    const { page } = scene
    const file = page.locator('input[type=file]')
    const shown = page.locator('main img')
    await open('/account/profile')
    await button('Choose picture').waitFor()
    await file.setInputFiles({ name: 'drawing.svg', mimeType: 'image/svg+xml', buffer: SVG })
    await page.getByText('Choose a PNG, JPEG or WebP file.').waitFor()
    await file.setInputFiles({ name: 'drawing.png', mimeType: 'image/png', buffer: SVG })
    await button('Save picture').click()
    await page.getByText('Send a PNG, JPEG or WebP image.').waitFor()
    await file.setInputFiles({ name: 'green.png', mimeType: 'image/png', buffer: png(40, [20, 120, 70]) })
    await page.getByText('Nothing is saved yet').waitFor()
    await button('Save picture').click()
    await button('Choose another picture').waitFor()
    await page.reload()
    await shown.waitFor()
    const width = await shown.evaluate(async (image: HTMLImageElement) => {
      await image.decode()
      return image.naturalWidth
    })
    assert.ok(width > 0, 'the picture is the server’s')
    await button('Remove picture').click()
    await button('Choose picture').waitFor()
    await page.reload()
    await button('Choose picture').waitFor()
    assert.equal(await shown.count(), 0)
  })

  journey(scene, 'the address changes by the link in the mail', async () => {
    const { page } = scene
    await open('/account/profile')
    await button('Change address').click()
    const field = page.getByLabel('New email')
    await field.fill(person.email)
    assert.match(await refusedAt(field, button('Send confirmation link')), /already/)
    await field.fill(newEmail)
    await button('Send confirmation link').click()
    await page.getByText(`We sent a link to ${newEmail}`).waitFor()
    await page.goto(await linkTo(newEmail, '/confirm-email'))
    await button('Confirm address').click()
    await page.getByRole('heading', { name: 'Your address is changed' }).waitFor()
    person.email = newEmail
    await open('/account/profile')
    await page.getByText(newEmail, { exact: true }).first().waitFor()
  })

  journey(scene, 'what is chosen of our mails is kept', async () => {
    const { page } = scene
    await open('/account/notifications')
    const news = page.getByRole('switch', { name: 'News' })
    const saved = page.waitForResponse((response) => response.request().method() === 'PATCH')
    await news.click()
    assert.ok((await saved).ok())
    await page.reload()
    await news.and(page.locator('[aria-checked=true]')).waitFor()
    assert.equal(await page.getByRole('switch', { name: 'New device' }).getAttribute('aria-checked'), 'true')
  })

  journey(scene, 'a session elsewhere is seen and ended, alone and with all others', async () => {
    const { page } = scene
    elsewhere = await newWindow(scene, ELSEWHERE)
    await elsewhere.goto(`${tenantry}/account/security`)
    await logIn(elsewhere, person)
    await open('/account/sessions')
    const row = page.getByRole('row').filter({ hasText: 'Firefox on Windows' })
    await row.waitFor()
    await page.getByRole('row').filter({ hasText: 'This device' }).getByText('Chrome on Linux').waitFor()
    await button('End session: Firefox on Windows').click()
    await row.waitFor({ state: 'detached' })
    await isOutAt(elsewhere, 'Notifications')
    await logIn(elsewhere, person)

    await page.reload()
    await row.waitFor()
    await button('End all others').click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('1 other device').waitFor()
    await dialog.getByRole('button', { name: 'End all others' }).click()
    await row.waitFor({ state: 'detached' })
    await isOutAt(elsewhere, 'Sessions')
    await logIn(elsewhere, person)
  })

  journey(scene, 'what is typed outlives the session', async () => {
    const { page } = scene
    await open('/account/profile')
    await page.getByLabel('Your name').fill('Maria Example')
    await elsewhere.goto(`${tenantry}/account/sessions`)
    await elsewhere.getByRole('button', { name: 'End all others' }).click()
    await elsewhere.getByRole('dialog').getByRole('button', { name: 'End all others' }).click()
    await elsewhere.getByRole('row').filter({ hasText: 'Chrome on Linux' }).waitFor({ state: 'detached' })

    await button('Save profile').click()
    const dialog = page.getByRole('dialog', { name: 'Log in again' })
    await dialog.waitFor()
    assert.deepEqual(await autofill(dialog), ['username', 'current-password'])
    await dialog.getByLabel('Password', { exact: true }).fill('not my password')
    await dialog.getByRole('button', { name: 'Log in' }).click()
    await dialog.getByText('Email and password do not match').waitFor()
    await dialog.getByLabel('Password', { exact: true }).fill(person.password)
    await dialog.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Your profile is saved').first().waitFor()
    await dialog.waitFor({ state: 'detached' })
    await page.reload()
    assert.equal(await page.getByLabel('Your name').inputValue(), 'Maria Example')
  })

  journey(scene, 'another password ends the other sessions', async () => {
    const { page } = scene
    await open('/account/security')
    const current = page.getByLabel('Current password')
    const next = page.getByLabel('New password')
    const send = button('Change password')
    await current.fill('not my password')
    await next.fill(newPassword)
    assert.match(await refusedAt(current, send), /present password/)
    assert.equal(await next.inputValue(), newPassword)
    await current.fill(person.password)
    await next.fill('password12345')
    await page.getByText('Too weak').waitFor()
    assert.notEqual(await refusedAt(next, send), '')
    assert.equal(await current.inputValue(), person.password)
    await next.fill(newPassword)
    await send.click()
    await page.getByText('Your password is changed').first().waitFor()
    await isOutAt(elsewhere, 'Security')
    await logIn(elsewhere, { email: person.email, password: newPassword })
    await elsewhere.context().close()
    await page.reload()
    await current.waitFor()
  })

  journey(scene, 'a password that is easy to guess is refused by the reset, too', async () => {
    const page = await newWindow(scene)
    scene.shown = page
    await page.goto(`${tenantry}/forgot-password`)
    await page.getByLabel('Email').fill(person.email)
    await page.getByRole('button', { name: 'Send link' }).click()
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor()
    await page.goto(await linkTo(person.email, '/reset-password'))
    const next = page.getByLabel('New password', { exact: true })
    await next.fill('password12345')
    const send = page.getByRole('button', { name: 'Change password' })
    assert.notEqual(await refusedAt(next, send), '')
    assert.equal((await autofill(page)).at(-1), 'new-password')
    await page.context().close()
  })

  journey(scene, 'a confirmation link that got lost is sent again', async () => {
    const page = await newWindow(scene)
    scene.shown = page
    await page.goto(`${tenantry}/signup`)
    await page.getByLabel('Your name').fill('Olga Beispiel')
    await page.getByLabel('Email').fill(newcomer.email)
    await page.getByLabel('Password', { exact: true }).fill(newcomer.password)
    await page.getByLabel('Organization').fill(newcomer.organization)
    await page.getByRole('button', { name: 'Create account' }).click()
    const lost = await linkTo(newcomer.email, '/confirm')
    await page.getByRole('link', { name: 'Send it again' }).click()
    await page.waitForURL((url) => url.pathname === '/signup/resend')
    assert.equal(await page.getByLabel('Email').inputValue(), newcomer.email)
    await page.getByRole('button', { name: 'Send link' }).click()
    await page.getByText(`We sent a mail to ${newcomer.email}`).waitFor()
    await page.goto(await linkTo(newcomer.email, '/confirm', lost))
    await page.getByRole('button', { name: 'Confirm and log in' }).click()
    await page.getByRole('heading', { name: 'First steps' }).waitFor()
    elsewhere = page
  })

  journey(scene, 'an account goes when nobody depends on it', async () => {
    const page = elsewhere
    scene.shown = page
    const dialog = page.getByRole('dialog')
    const remove = async () => {
      await page.getByRole('button', { name: 'Delete account' }).click()
      await dialog.getByRole('textbox').fill(newcomer.email)
      await dialog.getByRole('button', { name: 'Delete account' }).click()
    }
    await page.goto(`${tenantry}/account/delete`)
    await remove()
    const reason = page.getByRole('alert').filter({ hasText: 'the only owner' })
    await reason.getByRole('link', { name: newcomer.organization }).waitFor()

    arrange(
      `with handed as (
         update memberships set role = 'member'
         where user_id = (select id from users where email_normalized = '${newcomer.email}') returning organization_id)
       insert into memberships (organization_id, user_id, role)
       select organization_id, u.id, 'owner' from handed, users u where u.email_normalized = '${person.email}'`,
    )
    await page.reload()
    await remove()
    await page.waitForURL((url) => url.pathname === '/login')
    await page.getByText('Your account is deleted').waitFor()
    await page.getByLabel('Email').fill(newcomer.email)
    await page.getByLabel('Password', { exact: true }).fill(newcomer.password)
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Email and password do not match').waitFor()
    await page.context().close()
  })
})
