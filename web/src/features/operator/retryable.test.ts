import { describe, expect, it } from 'vitest'
import { isRetryable } from './retryable'
import type { OperationState, OperationSummary, TenantState } from '@/client'

const operation = (id: string, state: OperationState): OperationSummary => ({
  id,
  state,
  kind: 'provision',
  cause: '',
  created_at: '',
})
const tenant = (state: TenantState, ...operations: OperationSummary[]) => ({ state, operations })

describe('isRetryable', () => {
  const failed = operation('op_2', 'undone')

  it('offers the last operation of a tenant that failed', () => {
    expect(isRetryable(failed, tenant('failed', failed))).toBe(true)
    expect(isRetryable(failed, tenant('deprovisioning', failed))).toBe(true)
  })

  it('leaves what another operation has overtaken', () => {
    expect(isRetryable(failed, tenant('active', operation('op_3', 'done'), failed))).toBe(false)
    expect(isRetryable(failed, tenant('failed', operation('op_3', 'undone'), failed))).toBe(false)
  })

  it('leaves a tenant that runs or is gone', () => {
    expect(isRetryable(failed, tenant('active', failed))).toBe(false)
    expect(isRetryable(failed, tenant('deleted', failed))).toBe(false)
  })

  it('offers what is stuck, whatever its tenant does meanwhile', () => {
    const stuck = operation('op_2', 'stuck')
    expect(isRetryable(stuck, tenant('upgrading', stuck))).toBe(true)
  })
})
