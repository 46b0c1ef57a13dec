import type { FieldProblem, Problem } from '@/client'

/** What every failed call throws: the server's problem document (RFC 9457), or our own words where no answer came. */
export class ApiProblem extends Error implements Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly errors: FieldProblem[]
  readonly request_id: string
  /** Seconds to wait, from `Retry-After`; absent when the server named none. */
  readonly retryAfterSecs: number | undefined

  constructor(problem: Problem, retryAfterSecs?: number) {
    super(`${problem.code}: ${problem.detail}`)
    this.name = 'ApiProblem'
    this.type = problem.type
    this.title = problem.title
    this.status = problem.status
    this.code = problem.code
    this.detail = problem.detail
    this.errors = problem.errors ?? []
    this.request_id = problem.request_id
    this.retryAfterSecs = retryAfterSecs
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function text(value: unknown, fallback = ''): string {
  return typeof value === 'string' ? value : fallback
}

function fieldProblems(value: unknown): FieldProblem[] {
  if (!Array.isArray(value)) return []
  return value.filter(isRecord).map((entry) => ({
    pointer: text(entry['pointer']),
    code: text(entry['code'], 'invalid'),
    detail: text(entry['detail']),
  }))
}

/** `status` 0 and code `unreachable` mean that no answer came; `unexpected_answer` that it was no problem document. */
export function toApiProblem(error: unknown, response?: Response): ApiProblem {
  if (error instanceof ApiProblem) return error
  const retryAfter = Number(response?.headers.get('Retry-After'))
  const retryAfterSecs = Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined
  const status = response?.status ?? 0
  if (isRecord(error) && typeof error['code'] === 'string') {
    return new ApiProblem(
      {
        type: text(error['type'], 'about:blank'),
        title: text(error['title']),
        status: typeof error['status'] === 'number' ? error['status'] : status,
        code: error['code'],
        detail: text(error['detail']),
        errors: fieldProblems(error['errors']),
        request_id: text(error['request_id'], response?.headers.get('X-Request-Id') ?? ''),
      },
      retryAfterSecs,
    )
  }
  return new ApiProblem(
    {
      type: 'about:blank',
      title: '',
      status,
      code: response ? 'unexpected_answer' : 'unreachable',
      detail: '',
      request_id: response?.headers.get('X-Request-Id') ?? '',
    },
    retryAfterSecs,
  )
}
