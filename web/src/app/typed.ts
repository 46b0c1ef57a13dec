/** What a person typed or chose on this page and has not sent yet: what leaving the page would lose. */

const touched = new Set<Element>()
/** Choices that are no fields of the browser's own. */
const CHOICES = '[role=switch], [role=checkbox], [role=radio]'
/** What is looked for lives in the address. */
const KEPT_ELSEWHERE = 'input[type=search]'
const PRESSED = new Set(['checkbox', 'radio', 'button', 'submit', 'hidden'])

function isText(element: Element): element is HTMLInputElement | HTMLTextAreaElement {
  return (
    element instanceof HTMLTextAreaElement ||
    (element instanceof HTMLInputElement && !PRESSED.has(element.type))
  )
}

function note(element: Element | null): void {
  if (!element || element.matches(KEPT_ELSEWHERE)) return
  // What is chosen outside of a form takes effect at once.
  if (!isText(element) && !element.closest('form')) return
  touched.add(element)
}

function onInput({ target }: Event): void {
  if (target instanceof Element) note(target)
}

function onClick({ target }: Event): void {
  if (target instanceof Element) note(target.closest(CHOICES))
}

/** Called once, when the application starts. */
export function watchTyping(): void {
  document.addEventListener('input', onInput, true)
  document.addEventListener('click', onClick, true)
}

/** Whether a field of the page still holds something that nobody has sent. */
export function somethingTyped(): boolean {
  for (const element of touched) {
    if (!element.isConnected) touched.delete(element)
  }
  return [...touched].some((element) => !isText(element) || element.value !== '')
}

/** What stands in this form has been sent. */
export function forgetTyped(form: Element): void {
  for (const element of touched) {
    if (form.contains(element)) touched.delete(element)
  }
}
