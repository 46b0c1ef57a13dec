import { computed, ref } from 'vue'
import { linkToken } from './linkToken'
import { toApiProblem } from '@/app/problem'

const DEAD = ['link_unknown', 'link_expired']

/** The act behind a link in a mail. Opening the page does nothing: programs that look into mails open links, too. */
export function useMailLink<T>(act: (token: string) => Promise<T>) {
  const token = linkToken()
  const failure = ref<unknown>(token ? undefined : { code: 'link_unknown' })
  const busy = ref(false)
  const problem = computed(() => (failure.value ? toApiProblem(failure.value) : undefined))

  async function follow(): Promise<T | undefined> {
    busy.value = true
    try {
      const answer = await act(token)
      failure.value = undefined
      return answer
    } catch (error) {
      failure.value = error
      return undefined
    } finally {
      busy.value = false
    }
  }

  return {
    follow,
    busy,
    problem,
    /** The link itself is of no use any more, so trying again is of none. */
    dead: computed(() => DEAD.includes(problem.value?.code ?? '')),
  }
}
