/** A browser with one person in it, and journeys that leave a picture behind when they break. */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { tenantry } from './parts.ts'
import { launchChromium } from '../screenshots/chromium.ts'

const PATIENCE_MS = 30_000

/** Tells this run's people and tenants from those of runs before. */
export const run = Date.now().toString(36)

export interface Scene {
  browser: Browser
  context: BrowserContext
  page: Page
  /** The page that the journey looks at: the customer's or the operator's. */
  shown: Page
  /** What our pages said in the console that they should not have: errors, and what their own policy refused them. */
  complaints: string[]
}

/** Other people's pages, such as the payment provider's, may complain as they like. */
function isOurs(url: string): boolean {
  return URL.canParse(url) && new URL(url).origin === new URL(tenantry).origin
}

async function newContext(
  { browser, complaints }: Pick<Scene, 'browser' | 'complaints'>,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(PATIENCE_MS)
  context.on('console', (message) => {
    const text = message.text()
    // The browser says so of every refusal that a page asked for and shows, such as a wrong password.
    if (message.type() !== 'error' || text.startsWith('Failed to load resource')) return
    if (isOurs(message.page()?.url() ?? '')) complaints.push(`${message.page()?.url()}: ${text}`)
  })
  context.on('weberror', (error) => {
    const url = error.page()?.url() ?? ''
    if (isOurs(url)) complaints.push(`${url}: ${error.error().message}`)
  })
  return context
}

/** A window of its own, for somebody else. */
export async function newWindow(scene: Scene, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await newContext(scene, options)
  return context.newPage()
}

/** To be called within `describe`: the scene is there while its journeys run. */
export function openScene(): Scene {
  const scene = { complaints: [] as string[] } as Scene
  before(async () => {
    scene.browser = await launchChromium()
    scene.context = await newContext(scene)
    scene.page = await scene.context.newPage()
  })
  after(async () => scene.browser?.close())
  return scene
}

/** Runs a journey; when it breaks, the page as it stood is kept. */
export function journey(scene: Scene, name: string, walk: () => Promise<void>): void {
  it(name, async () => {
    scene.shown = scene.page
    try {
      await walk()
      assert.deepEqual(scene.complaints.splice(0), [], 'the console has no errors')
    } catch (error) {
      const path = join(tmpdir(), `tenantry-journey-${run}.png`)
      await scene.shown.screenshot({ path, fullPage: true }).catch(() => undefined)
      console.error(`the page when it broke: ${scene.shown.url()}, ${path}`)
      throw error
    }
  })
}
