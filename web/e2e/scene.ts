/** A browser with one person in it, and journeys that leave a picture behind when they break. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
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
}

/** A window of its own, for somebody else. */
export async function newWindow({ browser }: Scene): Promise<Page> {
  const context = await browser.newContext()
  context.setDefaultTimeout(PATIENCE_MS)
  return context.newPage()
}

/** To be called within `describe`: the scene is there while its journeys run. */
export function openScene(): Scene {
  const scene = {} as Scene
  before(async () => {
    scene.browser = await launchChromium()
    scene.context = await scene.browser.newContext()
    scene.context.setDefaultTimeout(PATIENCE_MS)
    scene.page = await scene.context.newPage()
    scene.page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) console.error(message.text())
    })
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
    } catch (error) {
      const path = join(tmpdir(), `tenantry-journey-${run}.png`)
      await scene.shown.screenshot({ path, fullPage: true }).catch(() => undefined)
      console.error(`the page when it broke: ${scene.shown.url()}, ${path}`)
      throw error
    }
  })
}
