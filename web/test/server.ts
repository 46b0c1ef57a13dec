import { vi } from 'vitest'

interface Call {
  method: string
  path: string
  body: unknown
  headers: Headers
}

type Reply = { status?: number; body?: unknown; headers?: Record<string, string> } | Error
type Handler = Reply | ((call: Call) => Reply)

/** Answers of a made-up server by `METHOD /path`; what is not listed answers 404. Returns the calls that were made. */
export function serve(handlers: Record<string, Handler>): Call[] {
  const calls: Call[] = []
  vi.stubGlobal('fetch', async (request: Request) => {
    const { pathname } = new URL(request.url)
    const text = await request.text()
    const body: unknown = text ? JSON.parse(text) : undefined
    const call = { method: request.method, path: pathname, body, headers: request.headers }
    calls.push(call)
    const handler = handlers[`${request.method} ${pathname.replace('/api/v1', '')}`]
    const reply: Reply =
      handler === undefined
        ? problem(404, 'not_found')
        : typeof handler === 'function'
          ? handler(call)
          : handler
    if (reply instanceof Error) throw reply
    const { status = 200, headers = {} } = reply
    const type = status >= 400 ? 'application/problem+json' : 'application/json'
    return new Response(JSON.stringify(reply.body ?? {}), {
      status,
      headers: { 'Content-Type': type, ...headers },
    })
  })
  return calls
}

export function problem(status: number, code: string, more: Record<string, unknown> = {}): Reply {
  return {
    status,
    body: {
      type: `urn:tenantry:problem:${code}`,
      title: '',
      status,
      code,
      detail: '',
      request_id: 'req_1',
      ...more,
    },
  }
}
