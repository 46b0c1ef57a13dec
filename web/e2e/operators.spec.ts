/** What operators do with their own accounts and with those of others, in Chromium: `dev/test/journey`. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe } from 'node:test'
import type { Page } from 'playwright-core'
import { signUp, type Person } from './customer.ts'
import { autofill, refusedAt } from './forms.ts'
import { codeOf, createOperator, logInAsOperator } from './operator.ts'
import { commandLine, tenantry } from './parts.ts'
import { journey, newWindow, openScene, run } from './scene.ts'

const admin = { email: `root.${run}@operators.example`, password: 'six green ladders lean' }
const colleague = { email: `help.${run}@operators.example`, password: 'two warm stones rest' }
const newPassword = 'five round tables turn'
const customer: Person = {
  email: `ines.${run}@library.example`,
  password: 'nine slow rivers bend',
  organization: `Reading Room of Journeys ${run}`,
}

describe('operators', () => {
  const scene = openScene()
  let visitor: Page

  const button = (name: string) => scene.page.getByRole('button', { name, exact: true })

  /** What is logged out on the command line is logged out everywhere. */
  function endSessionsOf({ email }: { email: string }): void {
    commandLine(['operator', 'disable', email])
    commandLine(['operator', 'enable', email])
  }

  async function findCustomer(): Promise<void> {
    const { page } = scene
    await page.goto(`${tenantry}/operator/users`)
    await page.getByRole('searchbox', { name: /^Search name/ }).fill(customer.email)
    await page.waitForURL((url) => url.searchParams.get('search') === customer.email)
    const row = page.getByRole('row').filter({ hasText: customer.email })
    await row.getByRole('link', { name: 'Ada Beispiel' }).click()
    await page.getByRole('heading', { name: 'Ada Beispiel' }).waitFor()
  }

  journey(scene, 'the link for the first one is of no use to the second', async () => {
    const { page } = scene
    await page.goto(`${tenantry}/operator/first#token=${randomBytes(32).toString('base64url')}`)
    assert.deepEqual(await autofill(page), ['username', 'new-password'])
    await page.getByLabel('Email').fill(admin.email)
    await page.getByLabel('Password', { exact: true }).fill(admin.password)
    await page.getByRole('button', { name: 'Create operator' }).click()
    await page.getByText('there is an operator by now').waitFor()
    await page.getByRole('link', { name: 'Operator log-in' }).click()
    await page.getByRole('heading', { name: 'Operator log-in' }).waitFor()
  })

  journey(scene, 'one changes the own password', async () => {
    const { page } = scene
    createOperator(admin, 'admin')
    createOperator(colleague, 'viewer')
    await logInAsOperator(page, '/operator', admin)
    await page.getByRole('button', { name: `Account of ${admin.email}` }).click()
    await page.getByRole('menuitem', { name: 'Your account' }).click()
    await page.waitForURL((url) => url.pathname === '/operator/account')
    assert.deepEqual(await autofill(page), ['username', 'current-password', 'new-password'])
    assert.equal(await page.locator('input[autocomplete=username]').inputValue(), admin.email)
    const current = page.getByLabel('Current password')
    const next = page.getByLabel('New password')
    await current.fill('not my password')
    await next.fill(newPassword)
    assert.match(await refusedAt(current, button('Change password')), /present password/)
    await current.fill(admin.password)
    await next.fill('password12345')
    await page.getByText('Too weak').waitFor()
    assert.notEqual(await refusedAt(next, button('Change password')), '')
    assert.equal(await current.inputValue(), admin.password)
    await next.fill(newPassword)
    await button('Change password').click()
    await page.getByText('Your password is changed').first().waitFor()
    admin.password = newPassword
  })

  journey(scene, 'what one is writing outlives the session', async () => {
    const { page } = scene
    visitor = await newWindow(scene)
    await signUp(visitor, customer)
    await findCustomer()
    await button('View as').click()
    await page.getByLabel('Why').fill('Ticket 4712: a picture is missing')
    endSessionsOf(admin)
    const dialog = page.getByRole('dialog', { name: 'Log in again' })
    // The page asks for the fleet by itself, and so finds out.
    await dialog.waitFor()
    assert.deepEqual(await autofill(dialog), ['username', 'current-password'])
    await dialog.getByLabel('Password', { exact: true }).fill(admin.password)
    await dialog.getByRole('button', { name: 'Log in' }).click()
    const code = dialog.getByRole('textbox', { name: 'Code' })
    await code.waitFor()
    assert.deepEqual(await autofill(dialog), ['one-time-code'])
    await code.fill(await codeOf(admin))
    await dialog.getByRole('button', { name: 'Log in' }).click()
    await dialog.waitFor({ state: 'detached' })
    assert.equal(await page.getByLabel('Why').inputValue(), 'Ticket 4712: a picture is missing')
    await button('View as Ada Beispiel').click()
    const banner = page.getByRole('region', { name: 'Viewing as a customer' })
    await banner.getByText('Ticket 4712').waitFor()
    await banner.getByRole('button', { name: 'Leave' }).click()
    await page.waitForURL((url) => url.pathname.startsWith('/operator/users/'))
  })

  journey(scene, 'one ends a person’s session', async () => {
    const { page } = scene
    await findCustomer()
    const row = page.getByRole('row').filter({ hasText: 'Chrome on Linux' })
    await button('End session: Chrome on Linux').click()
    const dialog = page.getByRole('dialog', { name: 'End this session?' })
    await dialog.getByRole('button', { name: 'End session' }).click()
    await row.waitFor({ state: 'detached' })
    await visitor.getByRole('link', { name: 'Billing' }).filter({ visible: true }).first().click()
    await visitor.waitForURL((url) => url.pathname === '/login')
    await visitor.context().close()
  })

  journey(scene, 'one gives a colleague another role, shuts them out and lets them in again', async () => {
    const { page } = scene
    const desk = await newWindow(scene)
    await logInAsOperator(desk, '/operator', colleague)
    const nav = desk.getByRole('navigation', { name: 'Operator' }).filter({ visible: true })
    assert.equal(await nav.getByRole('link', { name: 'Operators' }).count(), 0, 'a viewer manages nobody')

    await page.goto(`${tenantry}/operator/operators`)
    const row = page.getByRole('row').filter({ hasText: colleague.email })
    const role = page.getByLabel(`Role of ${colleague.email}`)
    const saved = page.waitForResponse((response) => response.url().endsWith('/role'))
    await role.selectOption('admin')
    assert.ok((await saved).ok())
    await page.reload()
    await row.waitFor()
    assert.equal(await role.inputValue(), 'admin')
    await desk.reload()
    await nav.getByRole('link', { name: 'Operators' }).waitFor()

    await button(`Disable ${colleague.email}`).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
    await row.getByText('Disabled').waitFor()
    // Whoever is shut out is so at once: the page there asks for the fleet by itself.
    await desk.waitForURL((url) => url.pathname === '/operator/login')
    await desk.getByText('Your session has ended').waitFor()
    await button(`Let ${colleague.email} log in again`).click()
    await row.getByText('Disabled').waitFor({ state: 'detached' })
    await logInAsOperator(desk, '/operator', colleague)
    await desk.context().close()
  })
})
