import type { Page } from 'playwright-core'
import { linkTo, tenantry } from './parts.ts'

export const CARDS = { good: '4242 4242 4242 4242', declined: '4000 0000 0000 0002' } as const

export interface Person {
  email: string
  password: string
  organization: string
}

interface CheckoutMade {
  id: string
  tenant_id: string
  host: string
}

/** Signs up, follows the link in the mail, and arrives at the new organization. Returns its slug. */
export async function signUp(page: Page, person: Person): Promise<string> {
  await page.goto(`${tenantry}/signup`)
  await page.getByLabel('Your name').fill('Ada Beispiel')
  await page.getByLabel('Email').fill(person.email)
  await page.getByLabel('Password', { exact: true }).fill(person.password)
  await page.getByLabel('Organization').fill(person.organization)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor()
  await page.goto(await linkTo(person.email, '/confirm'))
  await page.getByRole('button', { name: 'Confirm address' }).click()
  await page.getByRole('heading', { name: 'First steps' }).waitFor()
  return new URL(page.url()).pathname.split('/')[2] ?? ''
}

/** Chooses the plan, names the tenant and buys it; ends on the payment provider's page. */
export async function buy(page: Page, slug: string, plan: string, name: string): Promise<CheckoutMade> {
  await page.goto(`${tenantry}/o/${slug}/products`)
  // The radio button itself lies hidden under its card.
  const radio = page.getByRole('radio', { name: plan })
  await page.locator('label').filter({ has: radio }).click()
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByText('Available').waitFor()
  // The page leaves as soon as it has the answer, and the answer with it: kept on its way in.
  let checkout: CheckoutMade | undefined
  await page.route('**/checkouts', async (route) => {
    const response = await route.fetch()
    checkout = (await response.json()) as CheckoutMade
    await route.fulfill({ response })
  })
  await page.getByRole('button', { name: `Buy ${plan}` }).click()
  await page.getByLabel('Card number').waitFor()
  await page.unroute('**/checkouts')
  if (!checkout) throw new Error('the payment page came without a checkout')
  return checkout
}

/** Fills in the hosted page and sends it. */
export async function pay(page: Page, card: string): Promise<void> {
  await page.getByLabel('Card number').fill(card)
  await page.getByLabel('Expiry').fill('12 / 40')
  await page.getByLabel('CVC').fill('123')
  await page.getByLabel('Name on card').fill('Ada Beispiel')
  await page.getByRole('button', { name: /^(Subscribe|Pay)/ }).click()
}
