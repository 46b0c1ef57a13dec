import { client } from '@/client/client.gen'
import { customerCsrfToken } from '@/features/accounts/session'
import { operatorCsrfToken } from '@/features/operator/session'
import { toApiProblem } from './problem'
import { fetchWithProof } from './stepUp'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Customers and operators have separate cookies, so each side of the API takes its own token. */
function csrfTokenFor(path: string): string | undefined {
  return path.startsWith('/api/v1/operator/') ? operatorCsrfToken() : customerCsrfToken()
}

function setCsrfToken(request: Request): void {
  if (SAFE_METHODS.has(request.method)) return
  const token = csrfTokenFor(new URL(request.url).pathname)
  if (token) request.headers.set('X-CSRF-Token', token)
}

export function configureHttp(): void {
  client.setConfig({
    baseUrl: window.location.origin,
    credentials: 'same-origin',
    fetch: fetchWithProof(setCsrfToken),
  })
  client.interceptors.request.use((request) => {
    setCsrfToken(request)
    return request
  })
  client.interceptors.error.use((error, response) => toApiProblem(error, response))
}
