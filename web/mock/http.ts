import type { FieldProblem } from '../src/client/types.gen.ts'

export interface Ask {
  method: string
  url: URL
  body: Record<string, unknown>
  cookie: string
  host: string
}

export interface Answer {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

export class HttpProblem extends Error {
  readonly answer: Answer

  constructor(
    status: number,
    code: string,
    detail: string,
    errors?: FieldProblem[],
    headers?: Record<string, string>,
  ) {
    super(code)
    this.answer = {
      status,
      headers,
      body: {
        type: `https://tenantry.dev/problems/${code}`,
        title: '',
        status,
        code,
        detail,
        errors,
        request_id: 'req_01k8w3v7c2f4m9t0a5xq',
      },
    }
  }
}

export function page<Item>(items: readonly Item[], { url }: Ask): Answer {
  const limit = Math.min(Number(url.searchParams.get('limit') ?? 25), 100)
  const start = Number(url.searchParams.get('cursor') ?? 0)
  const next = start + limit
  return {
    status: 200,
    body: { items: items.slice(start, next), next_cursor: next < items.length ? String(next) : null },
  }
}

export function filtered<Item extends { state: string }>(
  items: readonly Item[],
  { url }: Ask,
  text: (item: Item) => string,
) {
  const state = url.searchParams.get('state')
  const search = url.searchParams.get('search')?.toLowerCase()
  return items.filter(
    (item) => (!state || item.state === state) && (!search || text(item).toLowerCase().includes(search)),
  )
}
