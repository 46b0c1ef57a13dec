import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { goTo } from '@/app/fullNavigation'
import { localPath } from '@/app/localPath'

/** Where somebody was sent from to log in: by a page (`return`) or by the server's single sign-on (`next`). */
export function useReturn(fallback: string) {
  const route = useRoute()
  const router = useRouter()
  const target = computed(() => localPath(route.query['return'] ?? route.query['next'], fallback))
  return {
    target,
    /** What a link to another page of the log-in carries along, so that the way back is not lost. */
    carried: computed(() => (target.value === fallback ? {} : { return: target.value })),
    goOn: () => goTo(target.value, (path) => router.push(path)),
  }
}
