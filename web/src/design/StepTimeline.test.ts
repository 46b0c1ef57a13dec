import { describe, expect, it } from 'vitest'
import StepTimeline from './StepTimeline.vue'
import { render } from '../../test/render'
import type { Step } from '@/client'

const step = (name: string, state: Step['state'], more: Partial<Step> = {}): Step => ({
  name,
  title: `Title of ${name}`,
  state,
  attempts: 1,
  ...more,
})

describe('StepTimeline', () => {
  it('shows state, time taken and usual time', async () => {
    const { wrapper } = await render(StepTimeline, {
      props: {
        steps: [
          step('namespace', 'done', { duration_ms: 240, usual_ms: 200 }),
          step('release', 'running', {
            started_at: new Date(Date.now() - 2_500).toISOString(),
            usual_ms: 3_000,
          }),
          step('ready', 'pending', { usual_ms: 7_000 }),
        ],
      },
    })
    const [first, second, third] = wrapper.findAll('li').map((item) => item.text())
    expect(first).toContain('240 ms')
    expect(first).not.toContain('usually')
    expect(second).toMatch(/Running\s*2\.0 s\s*· usually 3\.0 s/)
    expect(third).toContain('usually 7.0 s')
  })

  it('announces the step under way', async () => {
    const { wrapper } = await render(StepTimeline, {
      props: {
        steps: [step('namespace', 'done'), step('release', 'waiting', { waiting_for: 'pod collection-0' })],
      },
    })
    expect(wrapper.get('[role=status]').text()).toBe('Step 2 of 2: Title of release, Waiting')
    expect(wrapper.text()).toContain('Waiting for pod collection-0')
  })

  it('gives the plain reason and folds the technical one', async () => {
    const error = {
      code: 'image_not_pulled',
      detail: 'The image cannot be pulled.',
      technical: 'ImagePullBackOff',
    }
    const { wrapper } = await render(StepTimeline, {
      props: { steps: [step('release', 'failed', { error, attempts: 5 })], showAttempts: true },
    })
    expect(wrapper.text()).toContain('The image cannot be pulled.')
    expect(wrapper.text()).toContain('5 attempts')
    expect(wrapper.get('details').attributes('open')).toBeUndefined()
    expect(wrapper.get('details').text()).toContain('ImagePullBackOff')
  })

  it('shows a state that it does not know by its own name', async () => {
    const { wrapper } = await render(StepTimeline, { props: { steps: [step('release', 'done')] } })
    expect(wrapper.get('li').text()).toContain('Done')
  })
})
