import { afterEach, vi } from 'vitest'
import { enableAutoUnmount } from '@vue/test-utils'
import { queryClient } from '@/app/queryClient'
import { registerIcons } from '@/design/icons'

registerIcons()

enableAutoUnmount(afterEach)

afterEach(() => {
  queryClient.clear()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})
