import type { Page } from 'playwright-core'
import { operator, tenantry } from './parts.ts'
import { freshCode } from './totp.ts'

let secret = operator.secret

/** Reads the key that a page offers for typing into an authenticator. */
export async function offeredSecret(page: Page): Promise<string> {
  await page.getByRole('img', { name: 'QR code' }).waitFor()
  return (await page.locator('code').first().innerText()).replaceAll(' ', '')
}

/** Says that the recovery codes are kept, and returns them. */
export async function keepRecoveryCodes(page: Page, next: string): Promise<string[]> {
  await page.getByRole('heading', { name: 'Recovery codes' }).waitFor()
  const codes = await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allInnerTexts()
  await page.getByLabel('I kept them').check()
  await page.getByRole('button', { name: next }).click()
  return codes
}

/** Goes to a page of the console and logs in on the way, setting up the second factor where there is none yet. */
export async function logInAsOperator(page: Page, path = '/operator'): Promise<void> {
  await page.goto(tenantry + path)
  await page.getByRole('heading', { name: 'Operator log-in' }).waitFor()
  await page.getByLabel('Email').fill(operator.email)
  await page.getByLabel('Password', { exact: true }).fill(operator.password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: /^(Enter your code|Set up second factor)$/ }).waitFor()
  if (await page.getByRole('heading', { name: 'Set up second factor' }).isVisible()) {
    secret = await offeredSecret(page)
    await page.getByRole('textbox', { name: 'Code' }).fill(await freshCode(secret))
    await page.getByRole('button', { name: 'Confirm code' }).click()
    await keepRecoveryCodes(page, 'Open the console')
  } else {
    if (!secret) throw new Error('OPERATOR_TOTP_SECRET is missing: the operator has a second factor')
    await answerChallenge(page, secret)
  }
  await page.waitForURL((url) => url.pathname === path)
}

/** Other journeys log the same operator in, at the same time: a code that one of them has used is refused. */
async function answerChallenge(page: Page, key: string): Promise<void> {
  for (let tries = 0; tries < 3; tries += 1) {
    const answered = page.waitForResponse((response) =>
      response.url().endsWith('/operator/auth/login/second-factor'),
    )
    await page.getByRole('textbox', { name: 'Code' }).fill(await freshCode(key))
    await page.getByRole('button', { name: 'Log in' }).click()
    if ((await answered).ok()) return
  }
  throw new Error('no code of the second factor was taken')
}
