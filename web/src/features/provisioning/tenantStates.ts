import type { TenantState } from '@/client'

/** In the order in which somebody looks for trouble. */
export const TENANT_STATES: readonly TenantState[] = [
  'failed',
  'suspended',
  'pending',
  'provisioning',
  'upgrading',
  'active',
  'deprovisioning',
  'deleted',
]

export function asTenantState(value: string): TenantState | undefined {
  return TENANT_STATES.find((state) => state === value)
}

/** A tenant's address, only if a browser may safely follow it. */
export function tenantUrl(url: string): string | undefined {
  try {
    return ['https:', 'http:'].includes(new URL(url).protocol) ? url : undefined
  } catch {
    return undefined
  }
}
