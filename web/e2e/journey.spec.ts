/**
 * The journeys of a customer and of an operator, in Chromium, against running parts: `dev/test/journey`.
 * Each purchase sets up a real tenant on a real cluster.
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { CARDS, buy, pay, signUp, type Person } from './customer.ts'
import { logInAsOperator } from './operator.ts'
import { kubectl, namespaceOf, tenantry } from './parts.ts'
import { journey, newWindow, openScene, run } from './scene.ts'

const PROVISION_MS = 180_000
const person: Person = {
  email: `ada.${run}@museum.example`,
  password: 'seven quiet lanterns drift',
  organization: `Museum of Journeys ${run}`,
}

describe('journeys', () => {
  const scene = openScene()
  let slug: string

  journey(scene, 'a payment becomes a running tenant', async () => {
    const { context, page } = scene
    slug = await signUp(page, person)
    await page.getByText('Test mode').filter({ visible: true }).first().waitFor()
    const name = `journey-${run}`
    await buy(page, slug, 'Starter', name)
    await pay(page, CARDS.good)

    // The way back proves nothing by itself: the page waits for the webhook, then shows the set-up live.
    await page.getByRole('heading', { name: /Waiting for your payment|Payment received/ }).waitFor()
    await page.getByRole('heading', { name: 'Payment received' }).waitFor()
    const timeline = page.getByRole('region', { name: 'Set up tenant' })
    await timeline.getByRole('listitem').first().waitFor()

    const open = page.getByRole('link', { name: `Open ${name}` })
    await open.waitFor({ timeout: PROVISION_MS })
    const [tenant] = await Promise.all([context.waitForEvent('page'), open.click()])
    await tenant.waitForLoadState()
    assert.equal(new URL(tenant.url()).hostname.split('.')[0], name)
    assert.match(await tenant.locator('body').innerText(), new RegExp(name))
    await tenant.close()

    await page.goto(`${tenantry}/o/${slug}`)
    await page.getByText('Everything runs').waitFor()
    await page.getByText('€49', { exact: true }).first().waitFor()
  })

  journey(scene, 'a declined card and a closed payment page lead on', async () => {
    const { page } = scene
    const name = `declined-${run}`
    await buy(page, slug, 'Starter', name)
    await pay(page, CARDS.declined)
    await page
      .getByRole('alert')
      .filter({ hasText: /declined/i })
      .waitFor()

    await page.getByRole('link', { name: /Back/ }).click()
    await page.getByRole('heading', { name: 'You left the payment page' }).waitFor()
    await page.getByRole('link', { name: 'Continue paying' }).click()
    await page.getByLabel('Card number').waitFor()

    await page.getByRole('link', { name: /Back/ }).click()
    await page.getByRole('button', { name: 'Cancel purchase' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel purchase' }).click()
    await page.waitForURL(new RegExp(`/o/${slug}$`))
    await page.goBack()
    await page.getByRole('link', { name: 'Start again' }).click()
    assert.ok(await page.getByRole('radio', { name: 'Starter' }).isChecked())
  })

  journey(scene, 'an operator finds the broken tenant, mends the cause and retries', async () => {
    const { page } = scene
    const name = `broken-${run}`
    const checkout = await buy(page, slug, 'Starter', name)
    // Somebody else holds the tenant's place in the cluster.
    const namespace = namespaceOf(checkout.tenant_id)
    kubectl('create', 'namespace', namespace)
    let occupied = true
    try {
      await pay(page, CARDS.good)
      await page.getByRole('heading', { name: 'Payment received' }).waitFor()
      await page.getByText('Failed, undone').first().waitFor({ timeout: PROVISION_MS })

      const desk = await newWindow(scene)
      scene.shown = desk
      await logInAsOperator(desk, '/operator/operations')

      await desk.goto(`${tenantry}/operator`)
      const row = desk.getByRole('row').filter({ hasText: name })
      await row.getByText('Failed').first().waitFor()
      await row.getByRole('link', { name }).click()
      await desk.getByRole('link', { name: 'Show this operation alone' }).click()
      await desk.getByText('Technical detail').first().click()
      await desk.getByText(namespace).first().waitFor()

      kubectl('delete', 'namespace', namespace, '--wait=true')
      occupied = false
      await desk.getByRole('button', { name: 'Retry operation' }).click()
      await desk
        .getByRole('region', { name: 'Set up tenant' })
        .getByText('Done', { exact: true })
        .first()
        .waitFor({ timeout: PROVISION_MS })
      await desk.context().close()

      await page.goto(`${tenantry}/o/${slug}/tenants/${checkout.tenant_id}`)
      await page
        .getByRole('link', { name: `Open ${name}` })
        .first()
        .waitFor()
    } finally {
      if (occupied) kubectl('delete', 'namespace', namespace, '--wait=false')
    }
  })
})
