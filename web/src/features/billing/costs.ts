import type { Interval, Money, Subscription } from '@/client'

const CHARGED = new Set(['active', 'trialing', 'past_due', 'unpaid'])

export interface RecurringCost {
  interval: Interval
  money: Money
}

/** What all running subscriptions cost together, apart by interval and currency: those cannot be added up. */
export function totals(subscriptions: readonly Subscription[]): RecurringCost[] {
  const sums = new Map<string, RecurringCost>()
  for (const { status, price, interval } of subscriptions) {
    if (!price || !interval || !CHARGED.has(status)) continue
    const key = `${interval} ${price.currency}`
    const before = sums.get(key)?.money.amount_minor ?? 0
    sums.set(key, { interval, money: { ...price, amount_minor: before + price.amount_minor } })
  }
  return [...sums.values()]
}

/** The day of the next charge: the earliest end of a period that will be followed by another. */
export function nextCharge(subscriptions: readonly Subscription[]): Date | undefined {
  const days = subscriptions
    .filter((entry) => CHARGED.has(entry.status) && !entry.cancel_at_period_end && entry.period_end)
    .map((entry) => Date.parse(entry.period_end ?? ''))
    .filter((day) => !Number.isNaN(day))
  return days.length > 0 ? new Date(Math.min(...days)) : undefined
}
