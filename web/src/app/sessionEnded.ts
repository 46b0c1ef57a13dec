import { shallowRef } from 'vue'
import { toApiProblem } from './problem'
import { somethingTyped } from './typed'
import { customerCsrfToken, knownCustomer } from '@/features/accounts/session'
import { knownOperator, operatorCsrfToken } from '@/features/operator/session'

export type Audience = 'customer' | 'operator'

interface Ended {
  audience: Audience
  answer: (loggedIn: boolean) => void
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Whoever asks for the session wants to know that there is none; whoever logs out wants none. */
const NEVER_ASKED_FOR = /\/(session|logout)$/

/** The session that ended under somebody's hands; the dialog is open while there is one. */
export const ended = shallowRef<Ended>()

let asking: Promise<boolean> | undefined
/** The token of the session that the person did not want to open again. */
let declined: string | undefined

export function isSafe(method: string): boolean {
  return SAFE_METHODS.has(method)
}

export function audienceOf(path: string): Audience {
  return path.startsWith('/api/v1/operator/') ? 'operator' : 'customer'
}

/**
 * Whether somebody whose session has ended logs in again where they are, since leaving would lose what they typed. An
 * operator in a customer's place cannot: they know no password of the customer's.
 */
export function staysInPlace(audience: Audience): boolean {
  return somethingTyped() && (audience === 'operator' ? knownOperator() : knownCustomer()) !== undefined
}

/** What calls of this session carry; no other session has the same. */
export function csrfTokenOf(audience: Audience): string | undefined {
  return audience === 'operator' ? operatorCsrfToken() : customerCsrfToken()
}

/** One dialog at a time: calls that are refused meanwhile wait for the same answer. */
function ask(audience: Audience): Promise<boolean> {
  asking ??= new Promise<boolean>((resolve) => {
    ended.value = { audience, answer: resolve }
  }).finally(() => {
    ended.value = undefined
    asking = undefined
  })
  return asking
}

/** Has the person log in again, if this call of theirs is worth it; true when they did. */
export async function logInAgain({ url, method }: Request): Promise<boolean> {
  const { pathname } = new URL(url)
  const audience = audienceOf(pathname)
  if (NEVER_ASKED_FOR.test(pathname) || !staysInPlace(audience)) return false
  // What the page asks by itself troubles nobody twice; what the person does asks each time.
  const session = csrfTokenOf(audience)
  if (declined === session && isSafe(method)) return false
  const loggedIn = await ask(audience)
  declined = loggedIn ? undefined : session
  return loggedIn
}

/** For logging out: whoever is out already has what they wanted. */
export function ifLoggedOut(leave: () => void): (error: unknown) => void {
  return (error) => {
    if (toApiProblem(error).code === 'unauthenticated') leave()
  }
}
