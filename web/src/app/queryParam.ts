import { refDebounced } from '@vueuse/core'
import { computed, ref, watch, type Ref, type WritableComputedRef } from 'vue'
import { onBeforeRouteLeave, useRoute, useRouter } from 'vue-router'

/** A filter that lives in the address, so that it can be shared, reloaded and gone back to. */
export function useQueryParam(name: string): WritableComputedRef<string> {
  const route = useRoute()
  const router = useRouter()
  return computed({
    get: () => {
      const value = route.query[name]
      return typeof value === 'string' ? value : ''
    },
    set: (value) => {
      void router.replace({ query: { ...route.query, [name]: value === '' ? undefined : value } })
    },
  })
}

/** The same for a search field: what is typed reaches the address, and so the query, after 200 ms of rest. */
export function useSearchParam(name = 'search'): { typed: Ref<string>; search: Ref<string> } {
  const search = useQueryParam(name)
  const typed = ref(search.value)
  const settled = refDebounced(typed, 200)
  // Whoever types and goes on at once has left: writing to the address now would call them back.
  let leaving = false
  onBeforeRouteLeave(() => {
    leaving = true
  })
  watch(typed, () => (leaving = false))
  watch(settled, (value) => {
    if (!leaving && value.trim() !== search.value) search.value = value.trim()
  })
  watch(search, (value) => {
    if (value !== typed.value.trim()) typed.value = value
  })
  return { typed, search }
}
