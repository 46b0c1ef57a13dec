import { nextTick, ref, useTemplateRef, type Ref } from 'vue'
import type { FormError } from '@nuxt/ui'
import { splitServerErrors } from './serverErrors'

interface FormHandle {
  setErrors(errors: FormError[]): void
}

/**
 * Sends a form and puts what the server refuses where it belongs: at the field, else in `failure` for the banner
 * above the button. Focus goes to the first refused field.
 */
export function useServerForm(refName: string, fields: readonly string[]) {
  const form = useTemplateRef<FormHandle>(refName)
  const failure: Ref<unknown> = ref()
  const busy = ref(false)

  async function send<T>(call: () => Promise<T>): Promise<T | undefined> {
    failure.value = undefined
    busy.value = true
    try {
      return await call()
    } catch (error) {
      const { fieldErrors, rest } = splitServerErrors(error, fields)
      form.value?.setErrors(fieldErrors)
      if (rest) failure.value = error
      busy.value = false
      await nextTick()
      const first = fieldErrors[0]?.name
      if (first) document.querySelector<HTMLElement>(`[name="${CSS.escape(first)}"]`)?.focus()
      return undefined
    } finally {
      busy.value = false
    }
  }

  return { failure, busy, send }
}
