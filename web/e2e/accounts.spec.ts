/** The journeys of a person who signs in, in Chromium, against running parts: `dev/test/journey`. */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { signUp, type Person } from './customer.ts'
import { keepRecoveryCodes, logInAsOperator, offeredSecret } from './operator.ts'
import { linkTo, tenantry } from './parts.ts'
import { journey, newWindow, openScene, run } from './scene.ts'
import { freshCode } from './totp.ts'

const person: Person = {
  email: `grace.${run}@library.example`,
  password: 'nine slow rivers bend',
  organization: `Library of Journeys ${run}`,
}
const newPassword = 'four tall windows open'

describe('accounts', () => {
  const scene = openScene()
  let slug: string
  let secret: string
  let recoveryCodes: string[]

  async function logOut(): Promise<void> {
    await scene.page.getByRole('button', { name: /^Account of/ }).click()
    await scene.page.getByRole('menuitem', { name: 'Log out' }).click()
    await scene.page.waitForURL((url) => url.pathname === '/login')
  }

  async function enterPassword(password: string): Promise<void> {
    await scene.page.getByLabel('Email').fill(person.email)
    await scene.page.getByLabel('Password', { exact: true }).fill(password)
    await scene.page.getByRole('button', { name: 'Log in' }).click()
  }

  async function enterCode(code: string, field = 'Code'): Promise<void> {
    await scene.page.getByRole('textbox', { name: field }).fill(code)
    await scene.page.getByRole('button', { name: 'Log in' }).click()
  }

  journey(scene, 'sign up, confirm, and set up a second factor', async () => {
    const { page } = scene
    slug = await signUp(page, person)
    await page.goto(`${tenantry}/account/security`)
    await page.getByRole('link', { name: 'Set up second factor' }).click()
    secret = await offeredSecret(page)
    await page.getByRole('textbox', { name: 'Code' }).fill(await freshCode(secret))
    await page.getByRole('button', { name: 'Confirm code' }).click()
    recoveryCodes = await keepRecoveryCodes(page, 'Done')
    assert.equal(recoveryCodes.length, 10)
    await page.getByText('10 recovery codes are left').waitFor()
    await logOut()
  })

  journey(scene, 'log in with a code, back to where one was going', async () => {
    const { page } = scene
    await page.goto(`${tenantry}/account/sessions`)
    await enterPassword(person.password)
    await enterCode('000000')
    await page.getByText('This code is not right').waitFor()
    await enterCode(await freshCode(secret))
    await page.waitForURL((url) => url.pathname === '/account/sessions')
    const here = page.getByRole('row').filter({ hasText: 'This device' })
    await here.getByText('Chrome on Linux').waitFor()
    await logOut()
  })

  journey(scene, 'a recovery code stands in for the phone, once', async () => {
    const { page } = scene
    const [code = ''] = recoveryCodes
    await page.goto(`${tenantry}/o/${slug}`)
    await enterPassword(person.password)
    await page.getByRole('button', { name: 'Use a recovery code' }).click()
    await enterCode(code, 'Recovery code')
    await page.waitForURL((url) => url.pathname === `/o/${slug}`)
    await logOut()
    await page.goto(`${tenantry}/login`)
    await enterPassword(person.password)
    await page.getByRole('button', { name: 'Use a recovery code' }).click()
    await enterCode(code, 'Recovery code')
    await page.getByText('This code is not right').waitFor()
  })

  journey(scene, 'a forgotten password is reset through the mail', async () => {
    const { page } = scene
    await page.goto(`${tenantry}/login`)
    await page.getByRole('link', { name: 'Forgot it?' }).click()
    await page.getByLabel('Email').fill(person.email)
    await page.getByRole('button', { name: 'Send link' }).click()
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor()
    await page.goto(await linkTo(person.email, '/reset-password'))
    await page.getByLabel('New password', { exact: true }).fill(newPassword)
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByText('Your password is changed').waitFor()
    await enterPassword(person.password)
    await page.getByText('Email and password do not match').waitFor()
    await enterPassword(newPassword)
    await enterCode(await freshCode(secret))
    await page.getByRole('heading', { name: 'First steps' }).waitFor()
  })

  journey(scene, 'an operator looks through their eyes, can change nothing, and leaves', async () => {
    const desk = await newWindow(scene)
    scene.shown = desk
    await logInAsOperator(desk, '/operator/users')
    await desk.getByRole('searchbox', { name: /^Search name/ }).fill(person.email)
    await desk
      .getByRole('row')
      .filter({ hasText: person.email })
      .getByRole('link', { name: 'Ada Beispiel' })
      .click()
    await desk.getByRole('button', { name: 'View as' }).click()
    await desk.getByLabel('Why').fill('Ticket 4711: the set-up does not start')
    await desk.getByRole('button', { name: 'View as Ada Beispiel' }).click()
    const banner = desk.getByRole('region', { name: 'Viewing as a customer' })
    await banner.getByText('Ticket 4711').waitFor()
    await desk.getByRole('heading', { name: 'First steps' }).waitFor()
    await desk.goto(`${tenantry}/account/notifications`)
    await desk.getByRole('switch', { name: 'News' }).click()
    await desk.getByText('You can only look').waitFor()
    await banner.getByRole('button', { name: 'Leave' }).click()
    await desk.waitForURL((url) => url.pathname.startsWith('/operator/users/'))
    await desk.context().close()
  })
})
