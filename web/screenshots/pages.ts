import type { Page } from 'playwright-core'

export interface Shot {
  name: string
  path: string
  who?: 'customer' | 'newcomer' | 'operator'
  /** What to do before the picture is taken. */
  prepare?: (page: Page) => Promise<void>
}

/** Ids that the pages need; a page whose ids are not there is left out. */
export interface Found {
  slug: string
  tenants: { name: string; id: string }[]
  operations: { name: string; id: string }[]
}

const publicPages: Shot[] = [
  { name: 'login', path: '/login' },
  {
    name: 'login-refused',
    path: '/login',
    prepare: async (page) => {
      await page.getByLabel('Email').fill('ada@museum.example')
      await page.getByLabel('Password', { exact: true }).fill('wrong')
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByRole('alert').first().waitFor()
    },
  },
  { name: 'login-ended', path: '/login?ended=1' },
  { name: 'signup', path: '/signup' },
  {
    name: 'signup-weak',
    path: '/signup',
    prepare: async (page) => {
      await page.getByLabel('Your name').fill('Ada Beispiel')
      await page.getByLabel('Email').fill('ada@museum')
      await page.getByLabel('Password', { exact: true }).fill('museum2024')
      await page.getByLabel('Organization').focus()
      await page.waitForTimeout(900)
    },
  },
  { name: 'signup-sent', path: '/signup/sent' },
  { name: 'confirm-broken', path: '/confirm' },
  { name: 'pricing', path: '/pricing' },
  { name: 'operator-login', path: '/operator/login' },
  { name: 'not-found', path: '/nothing/here' },
]

const o = '/o/museum-of-examples'

/** Pages in states that only the stand-in has on call. */
export const mockPages: Shot[] = [
  ...publicPages,
  {
    name: 'signup-refused',
    path: '/signup',
    prepare: async (page) => {
      await page.getByLabel('Your name').fill('Ada Beispiel')
      await page.getByLabel('Email').fill('ada@museum.example')
      await page.getByLabel('Password', { exact: true }).fill('correct horse battery')
      await page.getByLabel('Organization').fill('Refused')
      await page.getByRole('button', { name: 'Create account' }).click()
      await page.getByText('list of leaked passwords').waitFor()
    },
  },
  { name: 'confirm-expired', path: '/confirm#token=old' },
  { name: 'overview', path: o, who: 'customer' },
  { name: 'overview-long-name', path: '/o/stiftung-niedersaechsische-gedenkstaetten', who: 'customer' },
  { name: 'overview-empty', path: '/o/new-gallery', who: 'newcomer' },
  { name: 'tenants', path: `${o}/tenants`, who: 'customer' },
  { name: 'tenants-failed', path: `${o}/tenants?state=failed`, who: 'customer' },
  { name: 'tenants-no-match', path: `${o}/tenants?search=zzz`, who: 'customer' },
  { name: 'tenants-empty', path: '/o/new-gallery/tenants', who: 'newcomer' },
  { name: 'tenant-running', path: `${o}/tenants/ten_main`, who: 'customer' },
  { name: 'tenant-setting-up', path: `${o}/tenants/ten_setup`, who: 'customer' },
  { name: 'tenant-failed', path: `${o}/tenants/ten_failed`, who: 'customer' },
  { name: 'tenant-suspended', path: `${o}/tenants/ten_suspended`, who: 'customer' },
  { name: 'tenant-not-found', path: `${o}/tenants/ten_nothing`, who: 'customer' },
  { name: 'products', path: `${o}/products?name=natural-history-2`, who: 'customer' },
  { name: 'products-name-taken', path: `${o}/products`, who: 'customer' },
  {
    name: 'products-outage',
    path: `${o}/products?name=outage`,
    who: 'customer',
    prepare: async (page) => {
      await page.getByRole('button', { name: /^Buy/ }).click()
      await page.getByRole('alert').first().waitFor()
    },
  },
  { name: 'checkout-waiting', path: `${o}/checkouts/chk_open`, who: 'customer' },
  { name: 'checkout-setting-up', path: `${o}/checkouts/chk_paid`, who: 'customer' },
  { name: 'checkout-ready', path: `${o}/checkouts/chk_done`, who: 'customer' },
  { name: 'checkout-setup-failed', path: `${o}/checkouts/chk_undone`, who: 'customer' },
  { name: 'checkout-declined', path: `${o}/checkouts/chk_failed`, who: 'customer' },
  { name: 'checkout-closed', path: `${o}/checkouts/chk_expired`, who: 'customer' },
  { name: 'checkout-cancelled', path: `${o}/checkouts/chk_open/cancelled`, who: 'customer' },
  {
    name: 'checkout-cancel-dialog',
    path: `${o}/checkouts/chk_open/cancelled`,
    who: 'customer',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Cancel purchase' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'billing', path: `${o}/billing`, who: 'customer' },
  { name: 'billing-empty', path: '/o/new-gallery/billing', who: 'newcomer' },
  {
    name: 'menu-or-palette',
    path: `${o}/tenants`,
    who: 'customer',
    prepare: async (page) => {
      const menu = page.getByRole('button', { name: 'Open menu' })
      if (await menu.isVisible()) await menu.click()
      else await page.keyboard.press('Control+k')
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'organization-new', path: '/organizations/new', who: 'customer' },
  { name: 'operator-fleet', path: '/operator', who: 'operator' },
  { name: 'operator-fleet-failed', path: '/operator?state=failed', who: 'operator' },
  { name: 'operator-tenant', path: '/operator/tenants/ten_failed', who: 'operator' },
  {
    name: 'operator-deprovision',
    path: '/operator/tenants/ten_main',
    who: 'operator',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Deprovision tenant' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'operator-operations', path: '/operator/operations', who: 'operator' },
  {
    name: 'operator-operation-stuck',
    path: '/operator/operations/op_stuck',
    who: 'operator',
    prepare: async (page) => {
      await page.getByText('Technical detail').first().click()
    },
  },
  { name: 'operator-operation-retrying', path: '/operator/operations/op_retrying', who: 'operator' },
  { name: 'operator-inbox', path: '/operator/inbox', who: 'operator' },
  { name: 'operator-inbox-failed', path: '/operator/inbox?state=failed', who: 'operator' },
  { name: 'operator-organizations', path: '/operator/organizations', who: 'operator' },
]

/** The same pages on a real server, with whatever it has. */
export function realPages({ slug, tenants, operations }: Found): Shot[] {
  const root = `/o/${slug}`
  return [
    ...publicPages,
    { name: 'overview', path: root, who: 'customer' },
    { name: 'tenants', path: `${root}/tenants`, who: 'customer' },
    { name: 'tenants-no-match', path: `${root}/tenants?search=zzz`, who: 'customer' },
    ...tenants.map(({ name, id }): Shot => ({
      name: `tenant-${name}`,
      path: `${root}/tenants/${id}`,
      who: 'customer',
    })),
    { name: 'products', path: `${root}/products?name=natural-history`, who: 'customer' },
    { name: 'billing', path: `${root}/billing`, who: 'customer' },
    { name: 'operator-fleet', path: '/operator', who: 'operator' },
    ...tenants.map(({ name, id }): Shot => ({
      name: `operator-tenant-${name}`,
      path: `/operator/tenants/${id}`,
      who: 'operator',
    })),
    { name: 'operator-operations', path: '/operator/operations', who: 'operator' },
    ...operations.map(({ name, id }): Shot => ({
      name: `operator-operation-${name}`,
      path: `/operator/operations/${id}`,
      who: 'operator',
    })),
    { name: 'operator-inbox', path: '/operator/inbox', who: 'operator' },
    { name: 'operator-organizations', path: '/operator/organizations', who: 'operator' },
  ]
}
