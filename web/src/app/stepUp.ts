import { toApiProblem } from './problem'

/** Asks the person to prove again who they are; true when they did. */
type Prover = () => Promise<boolean>

let prover: Prover | undefined
let asking: Promise<boolean> | undefined

/** Called once, by whoever shows the dialog. */
export function onProofNeeded(next: Prover): void {
  prover = next
}

/** One dialog at a time: calls that are refused meanwhile wait for the same answer. */
function askForProof(): Promise<boolean> {
  asking ??= (prover?.() ?? Promise.resolve(false)).finally(() => (asking = undefined))
  return asking
}

async function needsProof(response: Response): Promise<boolean> {
  if (response.status !== 403) return false
  try {
    return toApiProblem(await response.clone().json()).code === 'step_up_required'
  } catch {
    return false
  }
}

/**
 * `fetch` for calls that may be answered `step_up_required`: asks the person, then makes the same call again, so that
 * whoever called sees one slow call and nothing typed is lost. `prepare` runs before the second one.
 */
export function fetchWithProof(prepare: (request: Request) => void): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const again = request.clone()
    const response = await window.fetch(request)
    if (!(await needsProof(response)) || !(await askForProof())) return response
    prepare(again)
    return window.fetch(again)
  }
}
