/** Asks the person to prove again who they are; true when they did. */
type Prover = () => Promise<boolean>

let prover: Prover | undefined
let asking: Promise<boolean> | undefined

/** Called once, by whoever shows the dialog. */
export function onProofNeeded(next: Prover): void {
  prover = next
}

/** One dialog at a time: calls that are refused meanwhile wait for the same answer. */
export function askForProof(): Promise<boolean> {
  asking ??= (prover?.() ?? Promise.resolve(false)).finally(() => (asking = undefined))
  return asking
}
