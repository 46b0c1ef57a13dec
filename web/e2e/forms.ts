/** What a form tells programs and people of itself. */
import assert from 'node:assert/strict'
import { crc32, deflateSync } from 'node:zlib'
import type { Locator, Page } from 'playwright-core'

/** What each field of a page tells a password manager that it holds, in order. */
export async function autofill(page: Page | Locator): Promise<(string | null)[]> {
  const fields = page.locator('form input')
  await fields.first().waitFor({ state: 'attached' })
  return Promise.all((await fields.all()).map((field) => field.getAttribute('autocomplete')))
}

/** Sends the form; then the server's refusal stands at this field, nowhere else, and what was typed is still there. */
export async function refusedAt(field: Locator, send: Locator): Promise<string> {
  const typed = await field.inputValue()
  await send.click()
  await field.and(field.page().locator('[aria-invalid=true]')).waitFor()
  assert.equal(await field.inputValue(), typed, 'what was typed is still there')
  assert.equal(
    await field.evaluate((element) => element === document.activeElement),
    true,
    'it has the focus',
  )
  assert.equal(await field.page().locator('form').getByRole('alert').count(), 0, 'there is no banner as well')
  const described = (await field.getAttribute('aria-describedby')) ?? ''
  const error = described.split(' ').find((id) => id.endsWith('-error')) ?? ''
  return field.page().locator(`[id="${error}"]`).innerText()
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

/** A picture of one colour, as a PNG. */
export function png(size: number, [red, green, blue]: readonly [number, number, number]): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const line = Buffer.concat([Buffer.from([0]), Buffer.alloc(size * 3, Buffer.from([red, green, blue]))])
  const pixels = Buffer.concat(Array.from({ length: size }, () => line))
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
