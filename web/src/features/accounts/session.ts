import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { writeFor } from './personal'
import { getSession, type Session } from '@/client'
import { getSessionOptions, getSessionQueryKey } from '@/client/@tanstack/vue-query.gen'
import { toApiProblem } from '@/app/problem'
import { queryClient } from '@/app/queryClient'

const FRESH_FOR_MS = 60_000

function options() {
  return { ...getSessionOptions(), staleTime: FRESH_FOR_MS, meta: { guard: true } }
}

/** The session, or null when nobody is logged in. Fails only when the server cannot be asked. */
export async function loadSession(): Promise<Session | null> {
  try {
    const session = await queryClient.fetchQuery(options())
    writeFor(session.user)
    return session
  } catch (error) {
    if (toApiProblem(error).status === 401) return null
    throw error
  }
}

/** The session of pages behind the guard, where there always is one. */
export function useSession() {
  const { data } = useQuery(options())
  return computed(() => data.value)
}

/** The session if one is known already; never asks for it. */
export function useKnownSession() {
  const { data } = useQuery({ ...options(), enabled: false })
  return computed(() => data.value)
}

export function rememberSession(session: Session): void {
  // Nothing of whoever was logged in before may be shown to the next one.
  queryClient.removeQueries({ type: 'inactive' })
  queryClient.setQueryData(getSessionQueryKey(), session)
  writeFor(session.user)
}

/** Something of it changed on the server: read it again, wherever it is shown. */
export function refreshSession(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: getSessionQueryKey() })
}

/** Takes over the session that the browser has now, if it is the same person's. */
export async function renewSession(): Promise<boolean> {
  const { data } = await getSession()
  if (data.impersonation || data.user.id !== knownCustomer()) return false
  queryClient.setQueryData(getSessionQueryKey(), data)
  return true
}

export function forgetSession(): void {
  queryClient.removeQueries({ queryKey: getSessionQueryKey() })
}

/** Who is logged in here, as far as is known; nobody while an operator looks through a customer's eyes. */
export function knownCustomer(): string | undefined {
  const session = queryClient.getQueryData<Session>(getSessionQueryKey())
  return session?.impersonation ? undefined : session?.user.id
}

export function customerCsrfToken(): string | undefined {
  return queryClient.getQueryData<Session>(getSessionQueryKey())?.csrf_token
}
