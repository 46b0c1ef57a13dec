/** Pages walked by keyboard alone: every control is reached and shows that it has the focus. */
import type { Page } from 'playwright-core'

declare global {
  interface Window {
    /** How a control and what stands around it are drawn, as far as the focus may change it. */
    looksOf: (element: Element) => string
  }
}

const DIALOG = '[role=dialog][data-state=open]'
/** A page with this many controls reads its list by page: the first ones stand for the others. */
const MOST_STEPS = 80

interface Stop {
  /** What the control is, in words; undefined where the focus is nowhere. */
  control: string | undefined
  mark: string | undefined
  inDialog: boolean
  seen: boolean
  covered: boolean
}

/** Marks what the keyboard should reach and remembers how it looks without the focus. Returns the marks. */
function mark(page: Page): Promise<{ mark: string; control: string }[]> {
  return page.evaluate((dialog) => {
    window.looksOf = (element) =>
      [element, element.parentElement, element.nextElementSibling, element.closest('label')]
        .map((near) => {
          if (!near) return ''
          const style = getComputedStyle(near)
          return [style.outlineStyle, style.outlineWidth, style.boxShadow, style.borderColor].join()
        })
        .join()
    const active = document.activeElement
    if (active instanceof HTMLElement) active.blur()
    const scope = document.querySelector(dialog) ?? document
    const found = [
      ...scope.querySelectorAll<HTMLElement>(
        'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]',
      ),
    ].filter(
      (element) =>
        element.tabIndex >= 0 &&
        !element.matches(':disabled, [data-reka-focus-guard]') &&
        element.closest('[inert], [aria-hidden=true]') === null &&
        element.checkVisibility({ visibilityProperty: true }) &&
        // Of a group of radio buttons the keyboard reaches one; the arrows do the rest.
        !(
          element instanceof HTMLInputElement &&
          element.type === 'radio' &&
          !element.checked &&
          document.querySelector(`input[type=radio][name="${CSS.escape(element.name)}"]:checked`)
        ),
    )
    return found.map((element, index) => {
      element.dataset['walk'] = String(index)
      element.dataset['walkLooks'] = window.looksOf(element)
      const name = element.getAttribute('aria-label') ?? element.textContent.trim().slice(0, 40)
      return { mark: String(index), control: `${element.tagName.toLowerCase()} “${name}”` }
    })
  }, DIALOG)
}

async function step(page: Page): Promise<Stop> {
  await page.keyboard.press('Tab')
  return page.evaluate((dialog) => {
    const active = document.activeElement
    const nowhere = active === null || active === document.body
    if (nowhere || !(active instanceof HTMLElement))
      return { control: undefined, mark: undefined, inDialog: false, seen: true, covered: false }
    const box = active.getBoundingClientRect()
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
    const tiny = box.width <= 1 || box.height <= 1
    return {
      control: `${active.tagName.toLowerCase()} “${(active.getAttribute('aria-label') ?? active.textContent).trim().slice(0, 40)}”`,
      mark: active.dataset['walk'],
      inDialog: active.closest(dialog) !== null,
      seen:
        active.dataset['walkLooks'] === undefined || active.dataset['walkLooks'] !== window.looksOf(active),
      covered: !tiny && top !== null && !active.contains(top) && !top.contains(active),
    }
  }, DIALOG)
}

/** Walks once around the page, or around the dialog that is open. */
export async function walk(page: Page): Promise<string[]> {
  const dialog = await page.locator(DIALOG).count()
  const wanted = (await mark(page)).slice(0, MOST_STEPS)
  const reached = new Set<string>()
  const complaints: string[] = []
  for (let steps = 0; steps < wanted.length + 3; steps += 1) {
    const stop = await step(page)
    if (dialog > 0 && !stop.inDialog)
      complaints.push(`the focus leaves the dialog for ${stop.control ?? 'nothing'}`)
    if (stop.control !== undefined && !stop.seen) complaints.push(`${stop.control} does not show its focus`)
    if (stop.control !== undefined && stop.covered)
      complaints.push(`${stop.control} has the focus under something`)
    if (stop.mark !== undefined) reached.add(stop.mark)
  }
  const missed = wanted.filter((entry) => !reached.has(entry.mark))
  return [
    ...new Set([...complaints, ...missed.map(({ control }) => `${control} is out of the keyboard's reach`)]),
  ]
}

/** Escape closes the dialog that is open, if it may be left, and the focus is back on something. */
export async function leaveDialog(page: Page): Promise<string[]> {
  const dialog = page.locator(DIALOG)
  if ((await dialog.getByRole('button', { name: 'Close' }).count()) === 0) return []
  await page.keyboard.press('Escape')
  try {
    await dialog.waitFor({ state: 'detached', timeout: 2_000 })
  } catch {
    return ['Escape does not close the dialog']
  }
  await page.waitForTimeout(100)
  const lost = await page.evaluate(
    () => document.activeElement === null || document.activeElement === document.body,
  )
  return lost ? ['the focus is lost when the dialog closes'] : []
}
