import { flushPromises } from '@vue/test-utils'
import { expect, vi } from 'vitest'

/** The dialog on top of the page, wherever it is drawn. */
export const dialog = () => document.querySelector<HTMLElement>('[role=dialog]')

/** Types into a field of the document as soon as it is there. */
export async function typeInto(selector: string, value: string): Promise<void> {
  const input = await vi.waitFor(() => {
    const found = document.querySelector<HTMLInputElement>(selector)
    expect(found).not.toBeNull()
    return found as HTMLInputElement
  })
  input.value = value
  input.dispatchEvent(new Event('input', { bubbles: true }))
  await flushPromises()
}
