import { createRouter, createWebHistory, type RouteRecordRaw, type RouterHistory } from 'vue-router'
import { loadSession, forgetSession } from '@/features/accounts/session'
import { accountRoutes } from '@/features/accounts/routes'
import { billingRoutes, publicBillingRoutes } from '@/features/billing/routes'
import { loadOperatorSession, forgetOperatorSession } from '@/features/operator/session'
import { operatorRoutes } from '@/features/operator/routes'
import { newOrganizationRoute, organizationRoutes } from '@/features/organizations/routes'
import { provisioningRoutes } from '@/features/provisioning/routes'
import { toApiProblem } from './problem'
import { onSignedOut } from './queryClient'
import { staysInPlace, type Audience } from './sessionEnded'

declare module 'vue-router' {
  interface RouteMeta {
    /** Who may see the page. Without one, anybody. */
    audience?: Audience
  }
}

const routes: RouteRecordRaw[] = [
  {
    path: '/',
    name: 'home',
    component: () => import('./NotFoundView.vue'),
    beforeEnter: async () => {
      const session = await loadSession()
      const first = session?.organizations[0]
      if (!session) return { name: 'login' }
      return first ? { name: 'overview', params: { organization: first.slug } } : { name: 'new-organization' }
    },
  },
  ...accountRoutes,
  ...publicBillingRoutes,
  newOrganizationRoute,
  {
    path: '/o/:organization',
    component: () => import('@/features/organizations/CustomerLayout.vue'),
    meta: { audience: 'customer' },
    children: [...organizationRoutes, ...provisioningRoutes, ...billingRoutes],
  },
  ...operatorRoutes,
  { path: '/unreachable', name: 'unreachable', component: () => import('./UnreachableView.vue') },
  { path: '/:path(.*)*', name: 'not-found', component: () => import('./NotFoundView.vue') },
]

export function buildRouter(history: RouterHistory = createWebHistory()) {
  const router = createRouter({
    history,
    routes,
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  })

  router.beforeEach(async (to) => {
    const { audience } = to.meta
    if (!audience) return true
    try {
      const session = audience === 'operator' ? await loadOperatorSession() : await loadSession()
      if (session) return true
      return { name: audience === 'operator' ? 'operator-login' : 'login', query: { return: to.fullPath } }
    } catch (error) {
      if (toApiProblem(error).status === 401) return { name: 'login', query: { return: to.fullPath } }
      return { name: 'unreachable', query: { return: to.fullPath } }
    }
  })

  onSignedOut(() => {
    const route = router.currentRoute.value
    const { audience } = route.meta
    if (!audience || staysInPlace(audience)) return
    if (audience === 'operator') forgetOperatorSession()
    else forgetSession()
    void router.push({
      name: audience === 'operator' ? 'operator-login' : 'login',
      query: { return: route.fullPath, ended: '1' },
    })
  })

  return router
}
