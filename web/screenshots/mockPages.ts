/** Pages in states that only the stand-in of `npm run mock` has on call. */
import type { Page } from 'playwright-core'
import { publicPages, type Shot } from './pages.ts'

const o = '/o/museum-of-examples'
/** Where the list of tenants comes from. */
const TENANTS = /\/api\/v1\/organizations\/[^/]+\/tenants(\?|$)/

async function logIn(page: Page, email: string): Promise<void> {
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill('any password')
  await page.getByRole('button', { name: 'Log in' }).click()
}

async function enterCode(page: Page, code: string, button: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Code' }).fill(code)
  await page.getByRole('button', { name: button }).click()
}

/** What stands between a password and the pages behind it. */
const signingIn: Shot[] = [
  {
    name: 'login-second-factor',
    path: '/login',
    prepare: async (page) => {
      await logIn(page, 'factor@museum.example')
      await page.getByRole('heading', { name: 'Enter your code' }).waitFor()
    },
  },
  {
    name: 'login-second-factor-refused',
    path: '/login',
    prepare: async (page) => {
      await logIn(page, 'factor@museum.example')
      await enterCode(page, '000000', 'Log in')
      await page.getByText('This code is not right').waitFor()
    },
  },
  {
    name: 'login-recovery-code',
    path: '/login',
    prepare: async (page) => {
      await logIn(page, 'factor@museum.example')
      await page.getByRole('button', { name: 'Use a recovery code' }).click()
      await page.getByLabel('Recovery code').waitFor()
    },
  },
  { name: 'login-reset', path: '/login?reset=1' },
  {
    name: 'forgot-password-sent',
    path: '/forgot-password',
    prepare: async (page) => {
      await page.getByLabel('Email').fill('ada@museum.example')
      await page.getByRole('button', { name: 'Send link' }).click()
      await page.getByRole('heading', { name: 'Check your mail' }).waitFor()
    },
  },
  {
    name: 'reset-password-weak',
    path: '/reset-password#token=fresh',
    prepare: async (page) => {
      await page.getByLabel('New password').fill('museum of examples')
      await page.getByRole('button', { name: 'Change password' }).click()
      await page.getByText('list of leaked passwords').waitFor()
    },
  },
  {
    name: 'reset-password-expired',
    path: '/reset-password#token=old',
    prepare: async (page) => {
      await page.getByLabel('New password').fill('seven quiet lanterns drift')
      await page.getByRole('button', { name: 'Change password' }).click()
      await page.getByText('This link has expired').waitFor()
    },
  },
  { name: 'confirm-new-email', path: '/confirm-email#token=fresh' },
  {
    name: 'confirm-new-email-done',
    path: '/confirm-email#token=fresh',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Confirm address' }).click()
      await page.getByRole('heading', { name: 'Your address is changed' }).waitFor()
    },
  },
  { name: 'confirm-new-email-expired', path: '/confirm-email#token=old' },
  {
    name: 'operator-second-factor',
    path: '/operator/login',
    prepare: async (page) => {
      await logIn(page, 'ops@example.org')
      await page.getByRole('heading', { name: 'Enter your code' }).waitFor()
    },
  },
  {
    name: 'operator-set-up',
    path: '/operator/login',
    prepare: async (page) => {
      await logIn(page, 'fresh@example.org')
      await page.getByRole('img', { name: 'QR code' }).waitFor()
    },
  },
  {
    name: 'operator-recovery-codes',
    path: '/operator/login',
    prepare: async (page) => {
      await logIn(page, 'fresh@example.org')
      await enterCode(page, '123456', 'Confirm code')
      await page.getByRole('heading', { name: 'Recovery codes' }).waitFor()
    },
  },
  { name: 'operator-first', path: '/operator/first#token=fresh' },
  { name: 'operator-first-broken', path: '/operator/first' },
]

/** From here on nothing more is changed without logging in again. */
async function endSession(page: Page, calls: string): Promise<void> {
  const body = JSON.stringify({ code: 'unauthenticated', request_id: 'req_01k8w3v7c2f4m9t0a5xq' })
  await page.route(calls, (route) =>
    route.request().method() === 'GET'
      ? route.fallback()
      : route.fulfill({ status: 401, contentType: 'application/problem+json', body }),
  )
}

/** One's own account. */
const account: Shot[] = [
  { name: 'account-profile', path: '/account/profile', who: 'customer' },
  {
    name: 'account-step-up',
    path: '/account/profile',
    who: 'customer',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Change address' }).click()
      await page.getByLabel('New email').fill('ada@new-museum.example')
      await page.getByRole('button', { name: 'Send confirmation link' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'account-step-up-code',
    path: '/account/profile',
    who: 'guarded',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Change address' }).click()
      await page.getByLabel('New email').fill('ada@new-museum.example')
      await page.getByRole('button', { name: 'Send confirmation link' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'account-log-in-again',
    path: '/account/profile',
    who: 'customer',
    prepare: async (page) => {
      await endSession(page, '**/api/v1/me')
      await page.getByLabel('Your name').fill('Ada Lovelace')
      await page.getByRole('button', { name: 'Save profile' }).click()
      await page.getByRole('dialog', { name: 'Log in again' }).waitFor()
    },
  },
  { name: 'account-security', path: '/account/security', who: 'customer' },
  { name: 'account-security-on', path: '/account/security', who: 'guarded' },
  {
    name: 'account-security-refused',
    path: '/account/security',
    who: 'customer',
    prepare: async (page) => {
      await page.getByLabel('Current password').fill('wrong')
      await page.getByLabel('New password').fill('seven quiet lanterns drift')
      await page.getByRole('button', { name: 'Change password' }).click()
      await page.getByText('not your present password').waitFor()
    },
  },
  { name: 'account-second-factor', path: '/account/security/second-factor', who: 'customer' },
  {
    name: 'account-recovery-codes',
    path: '/account/security/second-factor',
    who: 'customer',
    prepare: async (page) => {
      await enterCode(page, '123456', 'Confirm code')
      await page.getByRole('heading', { name: 'Recovery codes' }).waitFor()
    },
  },
  {
    name: 'account-new-codes',
    path: '/account/security',
    who: 'guarded',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Get new codes' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Get new codes' }).click()
      await page.getByText('I kept them').waitFor()
    },
  },
  {
    name: 'account-remove-factor',
    path: '/account/security',
    who: 'guarded',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Remove second factor' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'account-sessions', path: '/account/sessions', who: 'customer' },
  {
    name: 'account-end-others',
    path: '/account/sessions',
    who: 'customer',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'End all others' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'account-notifications', path: '/account/notifications', who: 'customer' },
  { name: 'account-delete', path: '/account/delete', who: 'customer' },
  {
    name: 'account-delete-refused',
    path: '/account/delete',
    who: 'customer',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Delete account' }).click()
      await page.getByRole('dialog').getByRole('textbox').fill('ada@museum.example')
      await page.getByRole('dialog').getByRole('button', { name: 'Delete account' }).click()
      await page.getByRole('heading', { name: 'the only owner' }).waitFor()
    },
  },
  { name: 'second-factor-demanded', path: o, who: 'demanded' },
  { name: 'viewing-as', path: o, who: 'viewed' },
  { name: 'organization-settings', path: `${o}/settings`, who: 'customer' },
  {
    name: 'organization-settings-on',
    path: `${o}/settings`,
    who: 'customer',
    prepare: async (page) => {
      await page.getByRole('switch').click()
      await page.getByLabel('Days to set it up').waitFor()
    },
  },
  { name: 'operator-users', path: '/operator/users', who: 'operator' },
  { name: 'operator-users-no-match', path: '/operator/users?search=zzz', who: 'operator' },
  { name: 'operator-user', path: '/operator/users/usr_01k8ada', who: 'operator' },
  {
    name: 'operator-view-as',
    path: '/operator/users/usr_01k8ada',
    who: 'operator',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'View as' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  { name: 'operator-operators', path: '/operator/operators', who: 'operator' },
  { name: 'operator-account', path: '/operator/account', who: 'operator' },
  {
    name: 'operator-account-refused',
    path: '/operator/account',
    who: 'operator',
    prepare: async (page) => {
      await page.getByLabel('Current password').fill('wrong')
      await page.getByLabel('New password').fill('seven quiet lanterns drift')
      await page.getByRole('button', { name: 'Change password' }).click()
      await page.getByText('not your present password').waitFor()
    },
  },
  {
    name: 'operator-log-in-again-code',
    path: '/operator/account',
    who: 'operator',
    prepare: async (page) => {
      await endSession(page, '**/api/v1/operator/auth/password')
      await page.getByLabel('Current password').fill('any password')
      await page.getByLabel('New password').fill('seven quiet lanterns drift')
      await page.getByRole('button', { name: 'Change password' }).click()
      const dialog = page.getByRole('dialog', { name: 'Log in again' })
      await dialog.getByLabel('Password', { exact: true }).fill('any password')
      await dialog.getByRole('button', { name: 'Log in' }).click()
      await dialog.getByRole('textbox', { name: 'Code' }).waitFor()
    },
  },
  {
    name: 'operator-menu',
    path: '/operator/users',
    who: 'operator',
    prepare: async (page) => {
      const menu = page.getByRole('button', { name: 'Open menu' })
      if (await menu.isVisible()) await menu.click()
      await page
        .getByRole('button', { name: /^Account of/ })
        .filter({ visible: true })
        .click()
      await page.getByRole('menu').waitFor()
    },
  },
  {
    name: 'operator-disable',
    path: '/operator/operators',
    who: 'operator',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Disable support@example.org' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
]

export const mockPages: Shot[] = [
  ...publicPages,
  ...signingIn,
  ...account,
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
  { name: 'unreachable', path: '/unreachable?return=/o/museum-of-examples' },
  {
    name: 'tenants-loading',
    path: o,
    who: 'customer',
    prepare: async (page) => {
      await page.route(TENANTS, () => undefined)
      await page.goto(new URL(`${o}/tenants`, page.url()).href)
      await page.locator('.animate-pulse').first().waitFor()
    },
  },
  {
    name: 'tenants-error',
    path: o,
    who: 'customer',
    prepare: async (page) => {
      await page.route(TENANTS, (route) => route.abort())
      await page.goto(new URL(`${o}/tenants`, page.url()).href)
      await page.getByText('We could not reach the server').waitFor()
    },
  },
  {
    name: 'offline',
    path: `${o}/tenants`,
    who: 'customer',
    prepare: async (page) => {
      await page.evaluate(() => window.dispatchEvent(new Event('offline')))
      await page.getByText('You are offline').waitFor()
    },
  },
  {
    name: 'user-menu',
    path: o,
    who: 'customer',
    prepare: async (page) => {
      const menu = page.getByRole('button', { name: 'Open menu' })
      if (await menu.isVisible()) await menu.click()
      await page
        .getByRole('button', { name: /^Account of/ })
        .filter({ visible: true })
        .click()
      await page.getByRole('menu').waitFor()
    },
  },
  {
    name: 'organization-menu',
    path: o,
    who: 'customer',
    prepare: async (page) => {
      const menu = page.getByRole('button', { name: 'Open menu' })
      if (await menu.isVisible()) await menu.click()
      await page.getByRole('button', { name: 'Museum of Examples' }).filter({ visible: true }).click()
      await page.getByRole('menu').waitFor()
    },
  },
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
  { name: 'operator-refunds', path: '/operator/refunds', who: 'operator' },
  {
    name: 'operator-refund',
    path: '/operator/refunds',
    who: 'operator',
    prepare: async (page) => {
      await page.getByRole('button', { name: 'Refund' }).first().click()
      await page.getByRole('dialog').waitFor()
    },
  },
]
