import { toValue, watchEffect, type MaybeRefOrGetter } from 'vue'

/** Names the page in the tab; views whose name depends on their data call it with a getter. */
export function usePageTitle(title: MaybeRefOrGetter<string | undefined>): void {
  watchEffect(() => {
    const name = toValue(title)
    document.title = name ? `${name} · Tenantry` : 'Tenantry'
  })
}
