import type { FormError } from '@nuxt/ui'
import { toApiProblem } from '@/app/problem'

/** `/organization_name` and `/items/0/name` as the form's own names: `organization_name`, `items.0.name`. */
export function fieldName(pointer: string): string {
  return pointer
    .replace(/^#?\//, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .join('.')
}

/**
 * Splits what the server refused into what belongs beside a field of this form and whether anything is left for
 * the banner: a pointer to a field that the form does not show must not vanish.
 */
export function splitServerErrors(
  error: unknown,
  fields: readonly string[],
): { fieldErrors: FormError[]; rest: boolean } {
  const problem = toApiProblem(error)
  const named = problem.errors.map(({ pointer, detail }) => ({ name: fieldName(pointer), message: detail }))
  const fieldErrors = named.filter(({ name }) => fields.includes(name))
  return { fieldErrors, rest: fieldErrors.length === 0 || fieldErrors.length < named.length }
}
