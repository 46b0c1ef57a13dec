import type { Operation, OperatorTenant } from '@/client'

/** Whether it ended in a way that a retry could mend. */
export function mayBeRetried({ state }: Pick<Operation, 'state'>): boolean {
  return state === 'stuck' || state === 'undone'
}

/**
 * Whether the server would try this operation again: one that is stuck, or the last one of a tenant that still wants
 * what it was about to do. What failed long ago and was overtaken is history.
 */
export function isRetryable(
  operation: Pick<Operation, 'id' | 'state'>,
  tenant: Pick<OperatorTenant, 'state' | 'operations'>,
): boolean {
  if (!mayBeRetried(operation) || tenant.operations[0]?.id !== operation.id) return false
  return operation.state === 'stuck' || tenant.state === 'failed' || tenant.state === 'deprovisioning'
}
