import type { Page } from 'playwright-core'

export type Persona = 'customer' | 'newcomer' | 'guarded' | 'demanded' | 'viewed' | 'operator'

export interface Shot {
  name: string
  path: string
  who?: Persona
  /** What to do before the picture is taken. */
  prepare?: (page: Page) => Promise<void>
}

/** Ids that the pages need; a page whose ids are not there is left out. */
export interface Found {
  slug: string
  tenants: { name: string; id: string }[]
  operations: { name: string; id: string }[]
}

export const publicPages: Shot[] = [
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
  { name: 'confirm', path: '/confirm#token=fresh' },
  { name: 'confirm-elsewhere', path: '/confirm#token=elsewhere' },
  { name: 'confirm-broken', path: '/confirm' },
  { name: 'forgot-password', path: '/forgot-password' },
  { name: 'reset-password', path: '/reset-password#token=fresh' },
  { name: 'reset-password-broken', path: '/reset-password' },
  { name: 'resend-confirmation', path: '/signup/resend' },
  { name: 'pricing', path: '/pricing' },
  { name: 'operator-login', path: '/operator/login' },
  { name: 'not-found', path: '/nothing/here' },
]

const customer = (name: string, path: string): Shot => ({ name, path, who: 'customer' })
const operator = (name: string, path: string): Shot => ({ name, path, who: 'operator' })

export const organizationPages = (slug: string): Shot[] => [
  customer('overview', `/o/${slug}`),
  customer('tenants', `/o/${slug}/tenants`),
  customer('tenants-no-match', `/o/${slug}/tenants?search=zzz`),
  customer('products', `/o/${slug}/products?name=natural-history`),
  customer('billing', `/o/${slug}/billing`),
  customer('organization-settings', `/o/${slug}/settings`),
  customer('organization-new', '/organizations/new'),
]

export const accountPages: Shot[] = [
  customer('account-profile', '/account/profile'),
  customer('account-security', '/account/security'),
  customer('account-second-factor', '/account/security/second-factor'),
  customer('account-sessions', '/account/sessions'),
  customer('account-notifications', '/account/notifications'),
  customer('account-delete', '/account/delete'),
]

export const operatorPages: Shot[] = [
  operator('operator-fleet', '/operator'),
  operator('operator-users', '/operator/users'),
  operator('operator-organizations', '/operator/organizations'),
  operator('operator-operations', '/operator/operations'),
  operator('operator-inbox', '/operator/inbox'),
  operator('operator-refunds', '/operator/refunds'),
  operator('operator-operators', '/operator/operators'),
  operator('operator-account', '/operator/account'),
]

/** The pages of a running server, with whatever it has. */
export function realPages({ slug, tenants, operations }: Found): Shot[] {
  return [
    ...publicPages,
    ...organizationPages(slug),
    ...tenants.map(({ name, id }) => customer(`tenant-${name}`, `/o/${slug}/tenants/${id}`)),
    ...accountPages,
    ...operatorPages,
    ...tenants.map(({ name, id }) => operator(`operator-tenant-${name}`, `/operator/tenants/${id}`)),
    ...operations.map(({ name, id }) => operator(`operator-operation-${name}`, `/operator/operations/${id}`)),
  ]
}
