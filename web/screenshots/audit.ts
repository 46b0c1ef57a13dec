/** What can be said of a page without looking at it. Each check answers with complaints in words. */
import axe from 'axe-core'
import type { Page } from 'playwright-core'

declare global {
  interface Window {
    axe: typeof axe
  }
}

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** Waits until the page shows what it is about. */
export async function settle(page: Page): Promise<void> {
  await page.locator('main').first().waitFor()
  // Event streams never end, so there is no quiet network to wait for: the skeletons' going is the sign.
  await page.waitForFunction(() => document.querySelector('.animate-pulse') === null)
  await page.evaluate(() => document.fonts.ready)
  await page.waitForTimeout(350)
}

/** Rules of WCAG 2.2 AA, as far as a program sees them. */
export async function accessibility(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  return page.evaluate(async (runOnly) => {
    const { violations } = await window.axe.run(document, { runOnly })
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id} ${node.target.join(' ')} ${node.failureSummary?.split('\n')[1] ?? ''}`),
    )
  }, RULES)
}

/** Nothing hangs over the edge of the screen. */
export async function width(page: Page): Promise<string[]> {
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  return wide > 0 ? [`${wide} px wider than the screen`] : []
}
