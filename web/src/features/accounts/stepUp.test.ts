import { describe, expect, it, vi } from 'vitest'
import { defineComponent, h } from 'vue'
import StepUpDialog from './components/StepUpDialog.vue'
import { rememberSession } from './session'
import { question } from './stepUp'
import EmailForm from './components/EmailForm.vue'
import { render } from '../../../test/render'
import { problem, serve } from '../../../test/server'
import { session } from '../../../test/session'
import { dialog, typeInto } from '../../../test/typing'

/** The form, and the dialog as the application shows it. */
const Page = defineComponent(() => () => [
  h(EmailForm, { email: 'a@b.example' }),
  question.value ? h(StepUpDialog, { onAnswer: (proven: boolean) => question.value?.answer(proven) }) : null,
])

async function askForChange(secondFactor: boolean) {
  const page = await render(Page)
  rememberSession(session({ second_factor: secondFactor }))
  await page.wrapper.get('button').trigger('click')
  await typeInto('input[name=email]', 'new@b.example')
  await page.wrapper.get('form').trigger('submit')
  await vi.waitFor(() => expect(dialog()).not.toBeNull())
  return page
}

describe('an act that needs a fresh proof', () => {
  it('asks for the password once and then does what was asked, with what was typed', async () => {
    let proven = false
    const calls = serve({
      'POST /me/email': () => (proven ? { status: 202 } : problem(403, 'step_up_required')),
      'POST /auth/step-up': () => {
        proven = true
        return { status: 204 }
      },
      'GET /session': { body: session() },
    })
    const { wrapper } = await askForChange(false)
    await typeInto('[role=dialog] input[name=password]', 'secret')
    dialog()?.querySelector('form')?.requestSubmit()
    await vi.waitFor(() => expect(wrapper.text()).toContain('We sent a link to new@b.example'))
    const changes = calls.filter(({ path }) => path.endsWith('/me/email'))
    expect(changes.map(({ body }) => body)).toEqual([{ email: 'new@b.example' }, { email: 'new@b.example' }])
    expect(changes[1]?.headers.get('X-CSRF-Token')).toBe('t')
    expect(dialog()).toBeNull()
  })

  it('asks whoever has a second factor for a code', async () => {
    serve({ 'POST /me/email': problem(403, 'step_up_required') })
    await askForChange(true)
    await vi.waitFor(() =>
      expect(dialog()?.querySelector('input[name=code]')?.getAttribute('autocomplete')).toBe('one-time-code'),
    )
    question.value?.answer(false)
  })

  it('keeps what was typed when the person changes their mind', async () => {
    serve({ 'POST /me/email': problem(403, 'step_up_required') })
    const { wrapper } = await askForChange(false)
    question.value?.answer(false)
    await vi.waitFor(() => expect(wrapper.find('[role=alert]').exists()).toBe(true))
    expect(wrapper.get('[role=alert]').text()).toContain('Nothing was changed')
    expect(wrapper.get<HTMLInputElement>('input[name=email]').element.value).toBe('new@b.example')
  })
})
