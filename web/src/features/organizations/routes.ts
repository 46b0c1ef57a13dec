import type { RouteRecordRaw } from 'vue-router'

export const newOrganizationRoute: RouteRecordRaw = {
  path: '/organizations/new',
  name: 'new-organization',
  component: () => import('./views/NewOrganizationView.vue'),
  meta: { audience: 'customer' },
}

/** Below `/o/:organization`. */
export const organizationRoutes: RouteRecordRaw[] = [
  { path: '', name: 'overview', component: () => import('./views/OverviewView.vue') },
  {
    path: 'settings',
    name: 'organization-settings',
    component: () => import('./views/OrganizationSettingsView.vue'),
  },
]
