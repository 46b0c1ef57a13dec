import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { forgetTyped, somethingTyped, watchTyping } from './typed'

beforeAll(watchTyping)
afterEach(() => document.body.replaceChildren())

function show(html: string): HTMLElement {
  document.body.innerHTML = html
  return document.body.firstElementChild as HTMLElement
}

function input(selector: string, value: string): void {
  const field = document.querySelector<HTMLInputElement>(selector)
  if (!field) throw new Error(`there is no ${selector}`)
  field.value = value
  field.dispatchEvent(new Event('input', { bubbles: true }))
}

describe('what somebody typed', () => {
  it('counts until it is sent, taken back or gone', () => {
    const form = show('<form><input name="a" /><textarea></textarea></form>')
    expect(somethingTyped()).toBe(false)
    input('[name=a]', 'x')
    expect(somethingTyped()).toBe(true)
    input('[name=a]', '')
    expect(somethingTyped()).toBe(false)
    input('textarea', 'y')
    forgetTyped(form)
    expect(somethingTyped()).toBe(false)
    input('textarea', 'z')
    form.remove()
    expect(somethingTyped()).toBe(false)
  })

  it('is not what fields were filled with, nor what is looked for', () => {
    show('<form><input name="a" value="known" /><input type="search" /></form>')
    input('[type=search]', 'x')
    expect(somethingTyped()).toBe(false)
  })

  it('is also what was chosen in a form, but not what takes effect at once', () => {
    show(
      '<div><button role="switch" id="now"></button><form><button role="switch" id="later"></button></form></div>',
    )
    document.getElementById('now')?.click()
    expect(somethingTyped()).toBe(false)
    document.getElementById('later')?.click()
    expect(somethingTyped()).toBe(true)
  })
})
