import { useEventListener } from '@vueuse/core'
import { nextTick, ref, useTemplateRef, type ComponentPublicInstance, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import type { FormError } from '@nuxt/ui'
import { splitServerErrors } from './serverErrors'
import { toApiProblem } from '@/app/problem'
import { forgetTyped } from '@/app/typed'

type FormHandle = ComponentPublicInstance & {
  setErrors(errors: FormError[]): void
  clear(name: string): void
}

/**
 * Sends a form and puts what the server refuses where it belongs: at the field, else in `failure` for the banner
 * above the button. Focus goes to the first refused field, else back to the button, which lost it while it was busy.
 * `fieldOf` names the field of a problem that as a whole is about one field, by its code; the catalogue says it as
 * `problem.CODE.field`.
 */
export function useServerForm(
  refName: string,
  fields: readonly string[],
  fieldOf: Readonly<Record<string, string>> = {},
) {
  const { t, te } = useI18n()
  const form = useTemplateRef<FormHandle>(refName)
  const failure: Ref<unknown> = ref()
  const busy = ref(false)

  // An error goes when its field is being mended, not when the field is left: the button would move away from under the
  // very click that left it, and that click would do nothing.
  useEventListener(
    () => form.value?.$el as HTMLElement | undefined,
    'input',
    ({ target }) => {
      if (target instanceof Element) form.value?.clear(target.getAttribute('name') ?? '')
    },
  )

  function split(error: unknown): { fieldErrors: FormError[]; rest: boolean } {
    const { code, detail } = toApiProblem(error)
    const name = fieldOf[code]
    if (!name) return splitServerErrors(error, fields)
    const key = `problem.${code}.field`
    return { fieldErrors: [{ name, message: te(key) ? t(key) : detail }], rest: false }
  }

  async function send<T>(call: () => Promise<T>): Promise<T | undefined> {
    failure.value = undefined
    busy.value = true
    try {
      const answer = await call()
      const sent: unknown = form.value?.$el
      if (sent instanceof Element) forgetTyped(sent)
      return answer
    } catch (error) {
      const { fieldErrors, rest } = split(error)
      form.value?.setErrors(fieldErrors)
      if (rest) failure.value = error
      busy.value = false
      await nextTick()
      // The first as they stand on the page, in whatever order the server names them.
      const first = fields.find((field) => fieldErrors.some(({ name }) => name === field))
      const root: HTMLElement | undefined = form.value?.$el
      if (first) root?.querySelector<HTMLElement>(`[name="${CSS.escape(first)}"]`)?.focus()
      else if (document.activeElement === document.body)
        root?.querySelector<HTMLElement>('[type=submit]')?.focus()
      return undefined
    } finally {
      busy.value = false
    }
  }

  return { failure, busy, send }
}
