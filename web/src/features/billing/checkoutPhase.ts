import type { Checkout } from '@/client'

/**
 * Where a purchase stands, for the page that the payment provider sends people back to.
 * Only the checkout's state counts, never the fact that somebody arrived here.
 */
export type CheckoutPhase = 'waiting' | 'slow' | 'paid' | 'failed' | 'closed'

/** After this, silence needs an explanation and a way on. */
export const SLOW_AFTER_MS = 20_000

export function checkoutPhase(checkout: Pick<Checkout, 'state'>, waitedMs: number): CheckoutPhase {
  switch (checkout.state) {
    case 'paid':
      return 'paid'
    case 'failed':
      return 'failed'
    case 'expired':
      return 'closed'
    default:
      return waitedMs >= SLOW_AFTER_MS ? 'slow' : 'waiting'
  }
}

/** The name that was bought, from its host: `museum.tenants.example.org` → `museum`. */
export function nameOfHost(host: string): string {
  return host.split('.')[0] ?? host
}

/** The hosted page's address, only if it is one: it comes from elsewhere and the browser will follow it. */
export function paymentPage(url: string | null | undefined): string | undefined {
  if (!url) return undefined
  try {
    return ['https:', 'http:'].includes(new URL(url).protocol) ? url : undefined
  } catch {
    return undefined
  }
}
