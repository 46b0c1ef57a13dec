import type { Router } from 'vue-router'
import { localPath } from './localPath'

/** Addresses below these are the server's: the router of the pages knows nothing of them. */
const ANSWERED_BY_THE_SERVER = /^\/oauth\//

/**
 * Goes on to where somebody wanted to be before they logged in: a page, or back to a product through the server.
 * `candidate` comes from the address, so that only a path of this site counts.
 */
export async function continueTo(
  router: Router,
  candidate: unknown,
  fallback: string,
  leave: (path: string) => void = (path) => window.location.assign(path),
): Promise<void> {
  const path = localPath(candidate, fallback)
  if (ANSWERED_BY_THE_SERVER.test(path)) leave(path)
  else await router.push(path)
}
