import type { Operation, OperationState, OperationSummary, Step } from '../src/client/types.gen.ts'
import { ago } from './fixtures.ts'

const plan: [name: string, title: string, usualMs: number][] = [
  ['identifiers', 'Reserve names and identifiers', 20],
  ['namespace', 'Create the namespace', 90],
  ['network_policies', 'Close the network, open what the product needs', 120],
  ['quota', 'Set quota and limits of the plan', 300],
  ['service_account', 'Create the service account', 70],
  ['secrets', 'Create secrets', 110],
  ['release', 'Install the product', 2_400],
  ['ready', 'Wait until it is ready', 7_500],
  ['health', 'Ask it for its health from outside', 450],
  ['mail', 'Send the mail', 120],
]

interface Making {
  id: string
  tenant: string
  kind?: string
  cause?: string
  startedAgoMs: number
}

const iso = (at: number) => new Date(at).toISOString()

/** A provision that goes well, as it stands `now`. */
export function running(
  { id, tenant, kind = 'provision', cause = 'checkout paid', startedAgoMs }: Making,
  until?: string,
): Operation {
  const start = Date.now() - startedAgoMs
  let at = start
  let stopped = false
  const steps = plan.map(([name, title, usual_ms]): Step => {
    const begin = at
    at += usual_ms * 1.1
    if (stopped || begin > Date.now()) return { name, title, state: 'pending', usual_ms, attempts: 0 }
    if (name === until || at > Date.now()) {
      stopped = true
      const waiting = name === 'ready' ? { waiting_for: 'pod collection-0: ContainerCreating' } : {}
      return {
        name,
        title,
        state: name === 'ready' ? 'waiting' : 'running',
        started_at: iso(begin),
        usual_ms,
        attempts: 1,
        ...waiting,
      }
    }
    return {
      name,
      title,
      state: 'done',
      started_at: iso(begin),
      ended_at: iso(at),
      duration_ms: Math.round(at - begin),
      usual_ms,
      attempts: 1,
    }
  })
  const done = steps.every((step) => step.state === 'done')
  return {
    id,
    kind,
    tenant_id: tenant,
    state: done ? 'done' : 'running',
    created_at: iso(start - 40),
    started_at: iso(start),
    ended_at: done ? iso(at) : undefined,
    cause,
    attempt: 1,
    steps,
  }
}

const error = {
  code: 'image_not_pulled',
  detail: 'The product could not be started: its image cannot be pulled.',
  technical:
    'Error: INSTALLATION FAILED: context deadline exceeded\npod collection-0 in namespace tnt-fotoarchiv-01k8: container "collection" is waiting: ImagePullBackOff: Back-off pulling image "registry.example.org/collection:4.2.1": rpc error: code = NotFound desc = failed to pull and unpack image: failed to resolve reference "registry.example.org/collection:4.2.1": not found',
}

/** A provision that failed at the release and was taken back, or cannot be. */
export function broken(
  { id, tenant, kind = 'provision', cause = 'checkout paid', startedAgoMs }: Making,
  state: OperationState,
): Operation {
  const start = Date.now() - startedAgoMs
  const steps = plan.map(([name, title, usual_ms], index): Step => {
    if (index > 6) return { name, title, state: 'pending', usual_ms, attempts: 0 }
    const begin = start + index * 400
    const base = { name, title, usual_ms, started_at: iso(begin) }
    if (index === 6)
      return {
        ...base,
        state: 'failed',
        ended_at: iso(begin + 362_000),
        duration_ms: 362_000,
        attempts: 5,
        error,
      }
    if (index === 1 && state === 'stuck') {
      return {
        ...base,
        state: 'failed',
        attempts: 8,
        error: {
          code: 'cluster_forbidden',
          detail: 'The cluster does not let us delete the namespace.',
          technical:
            'namespaces "tnt-fotoarchiv-01k8" is forbidden: User "tenantry" cannot delete resource "namespaces" in API group "" (403)',
        },
      }
    }
    return { ...base, state: 'undone', ended_at: iso(begin + 180), duration_ms: 180, attempts: 1 }
  })
  return {
    id,
    kind,
    tenant_id: tenant,
    state,
    created_at: iso(start - 40),
    started_at: iso(start),
    ended_at: iso(start + 368_000),
    cause,
    attempt: 1,
    error,
    steps,
  }
}

/** Failing, and about to try again. */
export function retrying(making: Making): Operation {
  const operation = broken(making, 'waiting')
  return {
    ...operation,
    ended_at: undefined,
    error: undefined,
    attempt: 3,
    next_attempt_at: new Date(Date.now() + 24_000).toISOString(),
    steps: operation.steps.map((step, index): Step => {
      if (index < 6)
        return { ...step, state: 'done', error: undefined, ended_at: step.started_at, duration_ms: 140 }
      return index === 6
        ? { ...step, state: 'waiting', ended_at: undefined, duration_ms: undefined, attempts: 3 }
        : step
    }),
  }
}

export function summary(operation: Operation): OperationSummary {
  const { id, kind, state, created_at, started_at, ended_at, cause, error: why } = operation
  return { id, kind, state, created_at, started_at, ended_at, cause, error: why }
}

const HOUR = 3_600_000

export function fixtureOperation(id: string): Operation | undefined {
  switch (id) {
    case 'op_main':
      return running({ id, tenant: 'ten_main', startedAgoMs: 63 * 24 * HOUR })
    case 'op_upgrade':
      return running({
        id,
        tenant: 'ten_main',
        kind: 'upgrade',
        cause: 'operator ops@example.org',
        startedAgoMs: 2 * HOUR,
      })
    case 'op_setup':
      return running({ id, tenant: 'ten_setup', startedAgoMs: 5_200 }, 'ready')
    case 'op_failed':
      return broken({ id, tenant: 'ten_failed', startedAgoMs: 3 * HOUR }, 'undone')
    case 'op_stuck':
      return broken({ id, tenant: 'ten_0371', startedAgoMs: HOUR }, 'stuck')
    case 'op_retrying':
      return retrying({ id, tenant: 'ten_0005', startedAgoMs: HOUR / 6 })
    default:
      return undefined
  }
}

export const operationIds = ['op_stuck', 'op_setup', 'op_retrying', 'op_failed', 'op_upgrade', 'op_main']

export function manyOperations(): Operation[] {
  const fixed = operationIds.flatMap((id) => fixtureOperation(id) ?? [])
  const more = Array.from({ length: 60 }, (_, index) => ({
    ...running({
      id: `op_${String(index).padStart(26, '01k8abcdefghjkmnpqrstvwxyz')}`,
      tenant: 'ten_main',
      startedAgoMs: (index + 5) * HOUR,
    }),
    created_at: ago((index + 5) * HOUR),
  }))
  return [...fixed, ...more]
}
