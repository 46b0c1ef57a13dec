import { client } from '@/client/client.gen'
import { toApiProblem } from './problem'
import { fetchWithRemedies } from './remedies'
import { audienceOf, csrfTokenOf, isSafe } from './sessionEnded'

/** Customers and operators have separate cookies, so each side of the API takes its own token. */
function setCsrfToken(request: Request): void {
  if (isSafe(request.method)) return
  const token = csrfTokenOf(audienceOf(new URL(request.url).pathname))
  if (token) request.headers.set('X-CSRF-Token', token)
}

export function configureHttp(): void {
  client.setConfig({
    baseUrl: window.location.origin,
    credentials: 'same-origin',
    fetch: fetchWithRemedies(setCsrfToken),
  })
  client.interceptors.request.use((request) => {
    setCsrfToken(request)
    return request
  })
  client.interceptors.error.use((error, response) => toApiProblem(error, response))
}
