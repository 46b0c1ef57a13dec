/**
 * Every page of a running server, light and dark, on a desk and on a phone: nothing that axe or the browser's console
 * complains of, nothing wider than the screen, nothing out of the keyboard's reach. `dev/test/journey` runs it.
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Page } from 'playwright-core'
import { signUp, type Person } from './customer.ts'
import { logInAsOperator } from './operator.ts'
import { tenantry } from './parts.ts'
import { journey, newWindow, openScene, run, type Scene } from './scene.ts'
import { accessibility, settle, width } from '../screenshots/audit.ts'
import { leaveDialog, walk } from '../screenshots/keyboard.ts'
import {
  accountPages,
  operatorPages,
  organizationPages,
  publicPages,
  type Shot,
} from '../screenshots/pages.ts'

const person: Person = {
  email: `mary.${run}@observatory.example`,
  password: 'six green ladders lean',
  organization: `Observatory of Journeys ${run}`,
}
const PHONE = { width: 390, height: 844 }

/** Looks at each page as it is, then once more on a phone in the dark. */
async function inspect(page: Page, shots: readonly Shot[]): Promise<string[]> {
  const complaints: string[] = []
  for (const { name, path, prepare } of shots) {
    const size = page.viewportSize()
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
    await page.goto(tenantry + path)
    await settle(page)
    await prepare?.(page)
    const found = [...(await width(page)), ...(await accessibility(page))]
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
    await page.setViewportSize(PHONE)
    await page.locator('html.dark').waitFor({ state: 'attached' })
    await settle(page)
    const onPhone = [...(await width(page)), ...(await accessibility(page))]
    if (size) await page.setViewportSize(size)
    found.push(...(await walk(page)), ...(await leaveDialog(page)))
    complaints.push(
      ...found.map((complaint) => `${name}: ${complaint}`),
      ...onPhone.map((complaint) => `${name}, on a phone in the dark: ${complaint}`),
    )
  }
  return complaints
}

describe('pages', () => {
  const scene: Scene = openScene()

  journey(scene, 'that anybody may open', async () => {
    assert.deepEqual(await inspect(scene.page, publicPages), [])
  })

  journey(scene, 'of a customer', async () => {
    const slug = await signUp(scene.page, person)
    assert.deepEqual(await inspect(scene.page, [...organizationPages(slug), ...accountPages]), [])
  })

  journey(scene, 'of an operator', async () => {
    const desk = await newWindow(scene)
    scene.shown = desk
    await logInAsOperator(desk, '/operator/users')
    assert.deepEqual(await inspect(desk, operatorPages), [])
    await desk.context().close()
  })
})
