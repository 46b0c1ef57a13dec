/**
 * Every page in four forms: desktop and phone, light and dark.
 *
 *   npm run screenshots -- --base http://127.0.0.1:4010 --out screenshots/out
 *   npm run screenshots -- --base http://localhost:8400 --out DIR --email E --password P \
 *       --operator-email E --operator-password P --operator-secret S
 *
 * Without credentials the base is taken to be the stand-in of `npm run mock`. `--only PART` takes the pages whose
 * name holds PART; `--forms desktop-light` some of the forms. Fails when a page asks another host for anything,
 * breaks the content security policy, is wider than the screen, breaks a rule of WCAG 2.2 AA that axe can see, or has
 * a control that the keyboard does not reach.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { freshCode } from '../e2e/totp.ts'
import { accessibility, settle, width } from './audit.ts'
import { launchChromium } from './chromium.ts'
import { leaveDialog, walk } from './keyboard.ts'
import { mockPages } from './mockPages.ts'
import { realPages, type Found, type Persona, type Shot } from './pages.ts'

const { values } = parseArgs({
  options: {
    base: { type: 'string', default: 'http://127.0.0.1:4010' },
    out: { type: 'string', default: 'screenshots/out' },
    only: { type: 'string', default: '' },
    forms: { type: 'string', default: 'desktop-light,desktop-dark,phone-light,phone-dark' },
    email: { type: 'string' },
    password: { type: 'string' },
    'operator-email': { type: 'string' },
    'operator-password': { type: 'string' },
    'operator-secret': { type: 'string' },
  },
})
const { base, out } = values
const real = values.email !== undefined

const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } }
/** The form in which pages are walked by keyboard as well: there the keyboard is. */
const KEYBOARD_FORM = 'desktop-light'
const complaints: string[] = []

/** By whom the stand-in takes one for whom. */
const standIns: Record<Persona, string> = {
  customer: 'ada@museum.example',
  newcomer: 'new@gallery.example',
  guarded: 'factor@museum.example',
  demanded: 'demand@museum.example',
  viewed: 'viewed@museum.example',
  operator: 'ops@example.org',
}

/** The stand-in takes almost any code; a server wants the authenticator's, and each only once. */
async function codeOf(secret: string | undefined): Promise<string> {
  return secret ? freshCode(secret) : '123456'
}

const personas = Object.keys(standIns) as Persona[]

async function logIn(context: BrowserContext, who: Persona): Promise<void> {
  const operator = who === 'operator'
  const email = operator ? values['operator-email'] : values.email
  const password = operator ? values['operator-password'] : values.password
  const page = await context.newPage()
  await page.goto(`${base}${operator ? '/operator' : ''}/login`)
  await page.getByLabel('Email').fill(email ?? standIns[who])
  await page.getByLabel('Password', { exact: true }).fill(password ?? 'any password')
  await page.getByRole('button', { name: 'Log in' }).click()
  if (operator || who === 'guarded') {
    await page.getByRole('textbox', { name: 'Code' }).fill(await codeOf(values['operator-secret']))
    await page.getByRole('button', { name: 'Log in' }).click()
  }
  await page.waitForURL((url) => !url.pathname.endsWith('/login'))
  await page.close()
}

async function contextFor(browser: Browser, form: string, who: Shot['who']): Promise<BrowserContext> {
  const [size, scheme] = form.split('-')
  const context = await browser.newContext({
    viewport: size === 'phone' ? sizes.phone : sizes.desktop,
    colorScheme: scheme === 'dark' ? 'dark' : 'light',
    deviceScaleFactor: size === 'phone' ? 2 : 1,
    hasTouch: size === 'phone',
    isMobile: size === 'phone',
    reducedMotion: 'reduce',
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
  })
  if (who) await logIn(context, who)
  return context
}

function listen(page: Page, name: string): void {
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url())
    if (protocol.startsWith('http') && host !== new URL(base).host)
      complaints.push(`${name}: asked ${request.url()}`)
  })
  page.on('console', (message) => {
    const text = message.text()
    if (message.type() === 'error' && !text.startsWith('Failed to load resource'))
      complaints.push(`${name}: ${text}`)
    if (message.type() === 'warning' && text.includes('[intlify]')) complaints.push(`${name}: ${text}`)
  })
  page.on('pageerror', (error) => complaints.push(`${name}: ${error.message}`))
}

/** The whole page, with what is fixed to the screen's edge at the page's own. */
async function picture(page: Page, path: string, whole: boolean): Promise<void> {
  const size = page.viewportSize()
  if (whole && size) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight)
    await page.setViewportSize({ ...size, height: Math.max(height, size.height) })
  }
  await page.screenshot({ path })
  if (size) await page.setViewportSize(size)
}

async function take(context: BrowserContext, shot: Shot, form: string): Promise<void> {
  const name = `${shot.name}.${form}`
  const page = await context.newPage()
  listen(page, name)
  try {
    await page.goto(base + shot.path)
    await settle(page)
    await shot.prepare?.(page)
    await page.waitForTimeout(250)
    const found = [...(await width(page)), ...(await accessibility(page))]
    await picture(page, join(out, `${name}.png`), shot.prepare === undefined)
    if (form === KEYBOARD_FORM) found.push(...(await walk(page)), ...(await leaveDialog(page)))
    complaints.push(...found.map((complaint) => `${name}: ${complaint}`))
  } catch (error) {
    complaints.push(`${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
  }
  await page.close()
}

/** One page's fault is often every page's: said once, with the first page and the number of others. */
function report(form: string): void {
  const mine = complaints.filter((complaint) => complaint.split(': ')[0]?.endsWith(`.${form}`))
  const faults = Map.groupBy(mine, (complaint) => complaint.slice(complaint.indexOf(': ') + 2))
  for (const [fault, pages] of faults) {
    const others = pages.length > 1 ? ` (and ${pages.length - 1} more)` : ''
    console.error(`${pages[0]?.split(': ')[0]}${others}: ${fault}`)
  }
}

async function find(browser: Browser): Promise<Found> {
  const context = await contextFor(browser, 'desktop-light', 'customer')
  await logIn(context, 'operator')
  const read = async (path: string) => (await context.request.get(`${base}/api/v1${path}`)).json()
  const session = await read('/session')
  const slug: string = session.organizations[0].slug
  const firstOfEach = (items: { id: string; state: string }[]) =>
    [...new Map(items.map(({ id, state }) => [state, id])).entries()].map(([name, id]) => ({ name, id }))
  const tenants = firstOfEach((await read(`/organizations/${slug}/tenants?limit=100`)).items)
  const operations = firstOfEach((await read('/operator/operations?limit=100')).items)
  await context.close()
  return { slug, tenants, operations }
}

mkdirSync(out, { recursive: true })
const browser = await launchChromium()
try {
  const pages = (real ? realPages(await find(browser)) : mockPages).filter(({ name }) =>
    name.includes(values.only),
  )
  for (const form of values.forms.split(',')) {
    for (const who of [undefined, ...personas]) {
      const mine = pages.filter((shot) => shot.who === who)
      if (mine.length === 0) continue
      const context = await contextFor(browser, form, who)
      for (const shot of mine) await take(context, shot, form)
      await context.close()
    }
    console.log(`${form}: ${pages.length} pages`)
    report(form)
  }
} finally {
  await browser.close()
}
process.exitCode = complaints.length > 0 ? 1 : 0
