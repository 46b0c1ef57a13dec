import type { RouteRecordRaw } from 'vue-router'

/** Below `/o/:organization`. */
export const provisioningRoutes: RouteRecordRaw[] = [
  { path: 'tenants', name: 'tenants', component: () => import('./views/TenantsView.vue') },
  { path: 'tenants/:tenant', name: 'tenant', component: () => import('./views/TenantView.vue') },
]
