import { computed, toValue, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import { ApiProblem } from '@/app/problem'
import type { Problem } from '@/client'

export interface ProblemWords {
  title: string
  text: string
}

/**
 * A problem in words: our catalogue's where it knows the code, else the server's own sentence, else a general one.
 * The catalogue may use `{detail}` and, after too many attempts, `{minutes}`.
 */
export function useProblemWords(problem: MaybeRefOrGetter<Problem>): ComputedRef<ProblemWords> {
  const { t, te } = useI18n()
  return computed(() => {
    const { code, detail, title, status } = toValue(problem)
    if (te(`problem.${code}.title`)) {
      const source = toValue(problem)
      const secs = source instanceof ApiProblem ? (source.retryAfterSecs ?? 60) : 60
      return {
        title: t(`problem.${code}.title`),
        text: t(`problem.${code}.text`, { detail, minutes: Math.max(1, Math.ceil(secs / 60)) }),
      }
    }
    if (status === 404) return { title: t('problem.not_found.title'), text: t('problem.not_found.text') }
    return {
      title: title || t('problem.unknown.title'),
      text: detail || t('problem.unknown.text'),
    }
  })
}
