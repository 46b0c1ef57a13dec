import type { Page } from 'playwright-core'
import { commandLine, operator, tenantry } from './parts.ts'
import { freshCode } from './totp.ts'

export interface OperatorPerson {
  email: string
  password: string
}

/** The keys of the operators' authenticators, by address. */
const secrets = new Map<string, string>()
if (operator.secret) secrets.set(operator.email, operator.secret)

/** A new operator, made as colleagues are: on the command line. */
export function createOperator(person: OperatorPerson, role: string): void {
  commandLine(['operator', 'create', '--email', person.email, '--role', role], `${person.password}\n`)
}

/** What this operator's authenticator shows. */
export function codeOf({ email }: OperatorPerson): Promise<string> {
  const secret = secrets.get(email)
  if (!secret) throw new Error(`the second factor of ${email} is not known here`)
  return freshCode(secret)
}

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
export async function logInAsOperator(
  page: Page,
  path = '/operator',
  who: OperatorPerson = operator,
): Promise<void> {
  await page.goto(tenantry + path)
  await page.getByRole('heading', { name: 'Operator log-in' }).waitFor()
  await page.getByLabel('Email').fill(who.email)
  await page.getByLabel('Password', { exact: true }).fill(who.password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: /^(Enter your code|Set up second factor)$/ }).waitFor()
  if (await page.getByRole('heading', { name: 'Set up second factor' }).isVisible()) {
    secrets.set(who.email, await offeredSecret(page))
    await page.getByRole('textbox', { name: 'Code' }).fill(await codeOf(who))
    await page.getByRole('button', { name: 'Confirm code' }).click()
    await keepRecoveryCodes(page, 'Open the console')
  } else {
    await answerChallenge(page, who)
  }
  await page.waitForURL((url) => url.pathname === path)
}

/** Other journeys log the same operator in, at the same time: a code that one of them has used is refused. */
async function answerChallenge(page: Page, who: OperatorPerson): Promise<void> {
  for (let tries = 0; tries < 4; tries += 1) {
    const answered = page.waitForResponse((response) =>
      response.url().endsWith('/operator/auth/login/second-factor'),
    )
    await page.getByRole('textbox', { name: 'Code' }).fill(await codeOf(who))
    await page.getByRole('button', { name: 'Log in' }).click()
    if ((await answered).ok()) return
  }
  throw new Error('no code of the second factor was taken')
}
