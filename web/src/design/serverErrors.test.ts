import { describe, expect, it } from 'vitest'
import { fieldName, splitServerErrors } from './serverErrors'
import { ApiProblem } from '@/app/problem'

const refused = (pointers: string[]) =>
  new ApiProblem({
    type: '',
    title: '',
    status: 422,
    code: 'validation_failed',
    detail: '',
    request_id: '',
    errors: pointers.map((pointer) => ({ pointer, code: 'invalid', detail: `about ${pointer}` })),
  })

describe('server errors', () => {
  it('reads JSON pointers', () => {
    expect(fieldName('/organization_name')).toBe('organization_name')
    expect(fieldName('#/items/0/a~1b')).toBe('items.0.a/b')
  })

  it('puts each at its field', () => {
    expect(splitServerErrors(refused(['/email', '/name']), ['email', 'name'])).toEqual({
      fieldErrors: [
        { name: 'email', message: 'about /email' },
        { name: 'name', message: 'about /name' },
      ],
      rest: false,
    })
  })

  it('leaves what no field shows for the banner', () => {
    expect(splitServerErrors(refused(['/email', '/captcha']), ['email']).rest).toBe(true)
    expect(splitServerErrors(new TypeError('offline'), ['email']).rest).toBe(true)
  })
})
