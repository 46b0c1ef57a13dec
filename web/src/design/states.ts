/** The five ways a thing can be. Colour never speaks alone: each comes with an icon, and the badge adds the word. */
export type Tone = 'waiting' | 'moving' | 'well' | 'look' | 'broken'

export type StateKind = 'tenant' | 'operation' | 'step' | 'event' | 'subscription'

interface Look {
  color: 'neutral' | 'info' | 'success' | 'warning' | 'error'
  icon: string
  text: string
}

export const toneLook: Record<Tone, Look> = {
  waiting: { color: 'neutral', icon: 'i-lucide-clock', text: 'text-muted' },
  moving: { color: 'info', icon: 'i-lucide-loader-circle', text: 'text-info' },
  well: { color: 'success', icon: 'i-lucide-circle-check', text: 'text-success' },
  look: { color: 'warning', icon: 'i-lucide-triangle-alert', text: 'text-warning' },
  broken: { color: 'error', icon: 'i-lucide-circle-x', text: 'text-error' },
}

const tones: Record<StateKind, Record<string, Tone>> = {
  tenant: {
    pending: 'waiting',
    provisioning: 'moving',
    upgrading: 'moving',
    active: 'well',
    suspended: 'look',
    deprovisioning: 'moving',
    deleted: 'waiting',
    failed: 'broken',
  },
  operation: {
    queued: 'waiting',
    running: 'moving',
    waiting: 'waiting',
    undoing: 'look',
    stuck: 'broken',
    done: 'well',
    undone: 'broken',
  },
  step: {
    pending: 'waiting',
    running: 'moving',
    waiting: 'waiting',
    done: 'well',
    failed: 'broken',
    undoing: 'look',
    undone: 'waiting',
  },
  event: { received: 'waiting', applied: 'well', ignored: 'waiting', failed: 'broken' },
  subscription: {
    incomplete: 'look',
    incomplete_expired: 'broken',
    trialing: 'well',
    active: 'well',
    past_due: 'look',
    unpaid: 'broken',
    canceled: 'waiting',
    paused: 'look',
  },
}

/** Where a state has a sign of its own, clearer than its tone's. */
const icons: Partial<Record<StateKind, Record<string, string>>> = {
  tenant: { pending: 'i-lucide-hourglass', suspended: 'i-lucide-circle-pause', deleted: 'i-lucide-trash-2' },
  operation: { undone: 'i-lucide-circle-x', waiting: 'i-lucide-hourglass' },
  step: { pending: 'i-lucide-circle', waiting: 'i-lucide-hourglass', undone: 'i-lucide-undo-2' },
  event: { ignored: 'i-lucide-circle-minus' },
}

export function iconOf(kind: StateKind, state: string): string {
  return icons[kind]?.[state] ?? toneLook[toneOf(kind, state)].icon
}

/** A state that this page does not know yet is shown as waiting, by its own name. */
export function toneOf(kind: StateKind, state: string): Tone {
  return tones[kind][state] ?? 'waiting'
}
