import { client } from '@/client/client.gen'
import { customerCsrfToken } from '@/features/accounts/session'
import { operatorCsrfToken } from '@/features/operator/session'
import { toApiProblem } from './problem'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Customers and operators have separate cookies, so each side of the API takes its own token. */
function csrfTokenFor(path: string): string | undefined {
  return path.startsWith('/api/v1/operator/') ? operatorCsrfToken() : customerCsrfToken()
}

export function configureHttp(): void {
  client.setConfig({ baseUrl: window.location.origin, credentials: 'same-origin' })
  client.interceptors.request.use((request) => {
    if (SAFE_METHODS.has(request.method)) return request
    const token = csrfTokenFor(new URL(request.url).pathname)
    if (token) request.headers.set('X-CSRF-Token', token)
    return request
  })
  client.interceptors.error.use((error, response) => toApiProblem(error, response))
}
