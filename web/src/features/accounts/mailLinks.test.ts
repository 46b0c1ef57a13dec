import { afterEach, describe, expect, it } from 'vitest'
import ResetPasswordView from './views/ResetPasswordView.vue'
import { render } from '../../../test/render'
import { serve } from '../../../test/server'

afterEach(() => (window.location.hash = ''))

describe('a link in a mail', () => {
  it('tells the password manager whose password is changed', async () => {
    window.location.hash = '#token=fresh&email=ada%40museum.example'
    serve({})
    const { wrapper } = await render(ResetPasswordView)
    const username = wrapper.get<HTMLInputElement>('input[autocomplete=username]')
    expect(username.element.value).toBe('ada@museum.example')
  })
})
