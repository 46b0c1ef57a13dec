import { describe, expect, it } from 'vitest'
import { toApiProblem } from './problem'

describe('toApiProblem', () => {
  it('reads a problem document leniently', () => {
    const problem = toApiProblem(
      {
        code: 'validation_failed',
        detail: 'Look again.',
        errors: [{ pointer: '/name' }, 'odd'],
        request_id: 'req_9',
      },
      new Response('', { status: 422 }),
    )
    expect(problem).toMatchObject({ status: 422, code: 'validation_failed', request_id: 'req_9' })
    expect(problem.errors).toEqual([{ pointer: '/name', code: 'invalid', detail: '' }])
  })

  it('knows silence from nonsense', () => {
    expect(toApiProblem(new TypeError('Failed to fetch')).code).toBe('unreachable')
    expect(toApiProblem('<html>', new Response('', { status: 502 })).code).toBe('unexpected_answer')
  })

  it('keeps how long to wait', () => {
    const response = new Response('', { status: 429, headers: { 'Retry-After': '90' } })
    expect(toApiProblem({ code: 'too_many_attempts' }, response).retryAfterSecs).toBe(90)
  })
})
