import { MutationCache, QueryCache, QueryClient } from '@tanstack/vue-query'
import { toApiProblem } from './problem'

type SignedOutListener = () => void
let signedOutListener: SignedOutListener = () => undefined

/** Called once by the router: where to go when the server says that the session has ended. */
export function onSignedOut(listener: SignedOutListener): void {
  signedOutListener = listener
}

function noticeSignedOut(error: unknown): void {
  if (toApiProblem(error).code === 'unauthenticated') signedOutListener()
}

/** Another try can help only when no answer came or the server itself was at fault. */
export function worthRetrying(failures: number, error: unknown): boolean {
  const { status } = toApiProblem(error)
  return failures < 2 && (status === 0 || status >= 500)
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // The guards ask for the session themselves and decide what "signed out" means there.
      if (query.meta?.['guard'] !== true) noticeSignedOut(error)
    },
  }),
  mutationCache: new MutationCache({ onError: noticeSignedOut }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: worthRetrying,
      retryDelay: (failures) => Math.min(1_000 * 2 ** failures, 8_000),
    },
    mutations: { retry: false },
  },
})
