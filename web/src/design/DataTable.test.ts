import { flushPromises } from '@vue/test-utils'
import { defineComponent, h } from 'vue'
import { describe, expect, it, vi } from 'vitest'
import DataTable from './DataTable.vue'
import { render } from '../../test/render'
import { ApiProblem } from '@/app/problem'

interface Row {
  id: string
  name: string
}

const problem = new ApiProblem({
  type: '',
  title: '',
  status: 500,
  code: 'internal_error',
  detail: '',
  request_id: 'req_7',
})

async function table(
  props: { rows?: Row[]; problem?: ApiProblem; hasMore?: boolean },
  on: Record<string, () => void> = {},
) {
  const Host = defineComponent(
    () => () =>
      h(
        DataTable<Row>,
        {
          caption: 'Tenants',
          columns: [
            { key: 'name', label: 'Name' },
            { key: 'state', label: 'State' },
          ],
          rows: props.rows,
          problem: props.problem,
          hasMore: props.hasMore,
          ...on,
        },
        {
          'cell-name': ({ row }: { row: Row }) => row.name,
          'cell-state': () => 'Running',
          empty: () => 'No tenants yet',
        },
      ),
  )
  const { wrapper } = await render(Host)
  await flushPromises()
  return wrapper
}

describe('DataTable', () => {
  it('teaches when it is empty', async () => {
    const wrapper = await table({ rows: [] })
    expect(wrapper.text()).toContain('No tenants yet')
    expect(wrapper.find('table').exists()).toBe(false)
  })

  it('says what went wrong, with the request id and a way on', async () => {
    const retry = vi.fn()
    const wrapper = await table({ problem }, { onRetry: retry })
    expect(wrapper.get('[role=alert]').text()).toContain('req_7')
    await wrapper.get('[role=alert] button:last-of-type').trigger('click')
    await wrapper
      .findAll('button')
      .find((button) => button.text() === 'Try again')
      ?.trigger('click')
    expect(retry).toHaveBeenCalled()
  })

  it('keeps the rows that it has when the next page fails', async () => {
    const wrapper = await table({ rows: [{ id: '1', name: 'museum' }], problem })
    expect(wrapper.text()).toContain('museum')
    expect(wrapper.find('[role=alert]').exists()).toBe(true)
  })

  it('names rows and columns for screen readers, and cells for cards', async () => {
    const wrapper = await table({ rows: [{ id: '1', name: 'museum' }], hasMore: true })
    expect(wrapper.get('th[scope=row]').text()).toBe('museum')
    expect(wrapper.get('td').attributes('data-label')).toBe('State')
    expect(wrapper.get('caption').text()).toBe('Tenants')
    expect(wrapper.findAll('button').map((button) => button.text())).toContain('Show more')
  })
})
