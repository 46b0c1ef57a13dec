import { skipToken, useQuery, useQueryClient, type QueryFunctionContext } from '@tanstack/vue-query'
import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'
import { zOperation } from '@/client/zod.gen'
import { toApiProblem } from '@/app/problem'
import type { Operation } from '@/client'

/** `polling`: the stream cannot be had, so the page asks every other second instead. */
export type Connection = 'connecting' | 'live' | 'reconnecting' | 'polling' | 'ended'

/** Where an operation is read and watched; customers and operators have addresses of their own for the same document. */
export interface OperationSource {
  queryKey: readonly unknown[]
  fetch: (signal: AbortSignal) => Promise<Operation>
  streamUrl: string
}

const POLL_MS = 2_000
/** A stream that stays away this long is helped out by polling, while it keeps trying. */
const GIVE_UP_WAITING_MS = 8_000
const TRY_STREAM_AGAIN_MS = 10_000

export function hasEnded(operation: Pick<Operation, 'state'>): boolean {
  return operation.state === 'done' || operation.state === 'undone' || operation.state === 'stuck'
}

function parse(data: string): Operation | undefined {
  try {
    const result = zOperation.safeParse(JSON.parse(data))
    return result.success ? result.data : undefined
  } catch {
    return undefined
  }
}

/**
 * An operation as it happens. One snapshot is fetched; then the server's events replace it in the query cache. The
 * browser reconnects by itself and names the last event that it saw; where it gives up, polling takes over.
 */
export function useOperationStream(source: Ref<OperationSource | undefined>) {
  const queries = useQueryClient()
  const connection = ref<Connection>('connecting')
  let stream: EventSource | undefined
  let timer: number | undefined

  const query = useQuery(
    computed(() => {
      const { queryKey, fetch } = source.value ?? {}
      return {
        queryKey: queryKey ?? ['no-operation'],
        queryFn: fetch ? ({ signal }: QueryFunctionContext) => fetch(signal) : skipToken,
        refetchInterval: connection.value === 'polling' ? POLL_MS : (false as const),
      }
    }),
  )

  function close(): void {
    window.clearTimeout(timer)
    stream?.close()
    stream = undefined
  }

  function end(): void {
    close()
    connection.value = 'ended'
  }

  function receive(key: OperationSource['queryKey'], data: string): void {
    connection.value = 'live'
    const operation = parse(data)
    // What a newer server says in words that this page does not know is fetched and shown as far as it goes.
    if (operation) queries.setQueryData(key, operation)
    else void query.refetch()
  }

  function connect({ queryKey, streamUrl }: OperationSource): void {
    close()
    const opened = new EventSource(streamUrl)
    stream = opened
    opened.addEventListener('open', () => {
      window.clearTimeout(timer)
      connection.value = 'live'
    })
    opened.addEventListener('operation', (event: MessageEvent<string>) => receive(queryKey, event.data))
    opened.addEventListener('end', end)
    opened.addEventListener('error', () => {
      if (stream !== opened) return
      window.clearTimeout(timer)
      if (opened.readyState === EventSource.CLOSED) {
        connection.value = 'polling'
        timer = window.setTimeout(() => source.value && connect(source.value), TRY_STREAM_AGAIN_MS)
      } else {
        if (connection.value !== 'polling') connection.value = 'reconnecting'
        timer = window.setTimeout(() => (connection.value = 'polling'), GIVE_UP_WAITING_MS)
      }
    })
  }

  // A new operation, or the same one set going again by a retry.
  watch(
    [() => source.value?.streamUrl, () => (query.data.value ? hasEnded(query.data.value) : undefined)],
    ([url, ended], [previousUrl]) => {
      if (!source.value || ended === undefined) {
        if (url !== previousUrl) close()
        return
      }
      if (ended) end()
      else if (!stream || url !== previousUrl) {
        connection.value = 'connecting'
        connect(source.value)
      }
    },
    { immediate: true },
  )
  onScopeDispose(close)

  return {
    operation: query.data,
    problem: computed(() =>
      query.error.value && !query.data.value ? toApiProblem(query.error.value) : undefined,
    ),
    connection: computed(() => connection.value),
    refetch: () => void query.refetch(),
  }
}
