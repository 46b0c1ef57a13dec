import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { getOperatorSession, type OperatorSession } from '@/client'
import { getOperatorSessionOptions, getOperatorSessionQueryKey } from '@/client/@tanstack/vue-query.gen'
import { toApiProblem } from '@/app/problem'
import { queryClient } from '@/app/queryClient'

const FRESH_FOR_MS = 60_000

function options() {
  return { ...getOperatorSessionOptions(), staleTime: FRESH_FOR_MS, meta: { guard: true } }
}

/** The operator's session, or null when no operator is logged in. Fails only when the server cannot be asked. */
export async function loadOperatorSession(): Promise<OperatorSession | null> {
  try {
    return await queryClient.fetchQuery(options())
  } catch (error) {
    if (toApiProblem(error).status === 401) return null
    throw error
  }
}

/** The session if one is known already; never asks for it. */
export function useKnownOperatorSession() {
  const { data } = useQuery({ ...options(), enabled: false })
  return computed(() => data.value)
}

export function useOperatorSession() {
  const { data } = useQuery(options())
  return computed(() => data.value)
}

export function rememberOperatorSession(session: OperatorSession): void {
  queryClient.removeQueries({ type: 'inactive' })
  queryClient.setQueryData(getOperatorSessionQueryKey(), session)
}

/** Takes over the session that the browser has now, if it is the same operator's. */
export async function renewOperatorSession(): Promise<boolean> {
  const { data } = await getOperatorSession()
  if (data.operator.id !== knownOperator()) return false
  queryClient.setQueryData(getOperatorSessionQueryKey(), data)
  return true
}

export function forgetOperatorSession(): void {
  queryClient.removeQueries({ queryKey: getOperatorSessionQueryKey() })
}

/** Which operator is logged in here, as far as is known. */
export function knownOperator(): string | undefined {
  return queryClient.getQueryData<OperatorSession>(getOperatorSessionQueryKey())?.operator.id
}

export function operatorCsrfToken(): string | undefined {
  return queryClient.getQueryData<OperatorSession>(getOperatorSessionQueryKey())?.csrf_token
}
