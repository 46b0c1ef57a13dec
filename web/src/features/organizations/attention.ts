import { toneOf, type Tone } from '@/design/states'
import type { Subscription, TenantSummary } from '@/client'

export interface Attention {
  key: string
  tone: Tone
  tenant?: TenantSummary
  subscription?: Subscription
}

/** What somebody of the organization should look at, the broken before the merely odd. */
export function needsAttention(
  tenants: readonly TenantSummary[],
  subscriptions: readonly Subscription[],
): Attention[] {
  const all: Attention[] = [
    ...tenants.map((tenant) => ({ key: tenant.id, tone: toneOf('tenant', tenant.state), tenant })),
    ...subscriptions
      .filter(({ status }) => status === 'past_due' || status === 'unpaid')
      .map((subscription) => ({
        key: subscription.id,
        tone: toneOf('subscription', subscription.status),
        subscription,
      })),
  ]
  const urgent = all.filter(({ tone }) => tone === 'broken' || tone === 'look')
  return urgent.toSorted((a, b) => Number(b.tone === 'broken') - Number(a.tone === 'broken'))
}
