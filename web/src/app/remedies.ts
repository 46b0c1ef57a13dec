import { toApiProblem } from './problem'
import { audienceOf, logInAgain } from './sessionEnded'
import { askForProof } from './stepUp'
import { renewSession } from '@/features/accounts/session'
import { renewOperatorSession } from '@/features/operator/session'

type Remedy = (refused: Request) => Promise<boolean>

/** The page's token is of an older session: the person has logged in again in another tab, perhaps. */
function renewToken({ url }: Request): Promise<boolean> {
  return audienceOf(new URL(url).pathname) === 'operator' ? renewOperatorSession() : renewSession()
}

/** What can be done about a refusal so that the same call may succeed; each says whether it was done. */
const REMEDIES: Readonly<Record<string, Remedy>> = {
  step_up_required: askForProof,
  unauthenticated: logInAgain,
  csrf_token_invalid: renewToken,
}

async function codeOf(response: Response): Promise<string> {
  if (response.status !== 401 && response.status !== 403) return ''
  try {
    return toApiProblem(await response.clone().json()).code
  } catch {
    return ''
  }
}

/**
 * `fetch` for calls that may be refused until the person has done something: has them do it, then makes the same call
 * again, so that whoever called sees one slow call and nothing typed is lost. `prepare` runs before each new call.
 */
export function fetchWithRemedies(prepare: (request: Request) => void): typeof fetch {
  return async (input, init) => {
    let request = new Request(input, init)
    const tried = new Set<string>()
    for (;;) {
      const again = request.clone()
      const response = await window.fetch(request)
      const code = await codeOf(response)
      const remedy = tried.has(code) ? undefined : REMEDIES[code]
      if (!remedy || !(await remedy(again))) return response
      tried.add(code)
      prepare(again)
      request = again
    }
  }
}
