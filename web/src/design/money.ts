import type { Money } from '@/client'

/** Amount and currency in the reader's way of writing; whole amounts without decimals, as on a price list. */
export function formatMoney({ amount_minor, currency }: Money, locale = 'en'): string {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  const amount = amount_minor / 10 ** digits
  if (!Number.isInteger(amount)) return format.format(amount)
  return new Intl.NumberFormat(locale, { style: 'currency', currency, maximumFractionDigits: 0 }).format(
    amount,
  )
}
