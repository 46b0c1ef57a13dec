import { useProducts } from './queries'
import type { Interval, Plan, Price, Product } from '@/client'

export function priceFor(plan: Plan, interval: Interval): Price | undefined {
  return plan.prices.find((price) => price.interval === interval)
}

/** The intervals in which at least one plan is sold, months first. */
export function intervalsOf(products: readonly Product[]): Interval[] {
  const sold = new Set(
    products.flatMap((product) => product.plans.flatMap((plan) => plan.prices.map((p) => p.interval))),
  )
  return (['month', 'year'] as const).filter((interval) => sold.has(interval))
}

export function plansByRank(product: Product): Plan[] {
  return product.plans.toSorted((a, b) => a.rank - b.rank)
}

/** Names of the catalog for the keys that the rest of the API uses; a plan that is no longer sold keeps its key. */
export function useCatalogNames() {
  const { data } = useProducts()
  const findProduct = (key: string) => data.value?.items.find((product) => product.key === key)
  return {
    productName: (product: string): string => findProduct(product)?.name ?? product,
    planName: (product: string, plan: string): string =>
      findProduct(product)?.plans.find((entry) => entry.key === plan)?.name ?? plan,
  }
}
