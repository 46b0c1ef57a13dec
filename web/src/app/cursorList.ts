import { keepPreviousData, useInfiniteQuery } from '@tanstack/vue-query'
import { computed, toValue, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import { toApiProblem, type ApiProblem } from './problem'

export interface Page<Item> {
  items: Item[]
  next_cursor: string | null
}

interface CursorListOptions<Item> {
  /** Everything that the list depends on, as for any query. */
  key: MaybeRefOrGetter<readonly unknown[]>
  fetch: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Item>>
  refetchIntervalMs?: number
  /** Nothing is asked until this is true. */
  enabled?: MaybeRefOrGetter<boolean>
}

export interface CursorList<Item> {
  rows: ComputedRef<Item[] | undefined>
  problem: ComputedRef<ApiProblem | null>
  hasMore: ComputedRef<boolean>
  loadingMore: ComputedRef<boolean>
  more: () => void
  refetch: () => void
}

/** A list read page by page; a new filter keeps the old rows on screen until its own arrive. */
export function useCursorList<Item>({
  key,
  fetch,
  refetchIntervalMs,
  enabled = true,
}: CursorListOptions<Item>): CursorList<Item> {
  const query = useInfiniteQuery({
    queryKey: computed(() => ['list', ...toValue(key)]),
    queryFn: ({ pageParam, signal }) => fetch(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: refetchIntervalMs ?? false,
    enabled: () => toValue(enabled),
  })
  return {
    rows: computed(() => query.data.value?.pages.flatMap((page) => page.items)),
    problem: computed(() => (query.error.value ? toApiProblem(query.error.value) : null)),
    hasMore: computed(() => query.hasNextPage.value),
    loadingMore: computed(() => query.isFetchingNextPage.value),
    more: () => void query.fetchNextPage(),
    refetch: () => void query.refetch(),
  }
}
