import type { RouteRecordRaw } from 'vue-router'

export const operatorRoutes: RouteRecordRaw[] = [
  {
    path: '/operator/login',
    name: 'operator-login',
    component: () => import('./views/OperatorLoginView.vue'),
  },
  {
    path: '/operator/first',
    name: 'operator-first',
    component: () => import('./views/FirstOperatorView.vue'),
  },
  {
    path: '/operator',
    component: () => import('./OperatorLayout.vue'),
    meta: { audience: 'operator' },
    children: [
      { path: '', name: 'fleet', component: () => import('./views/FleetView.vue') },
      {
        path: 'tenants/:tenant',
        name: 'operator-tenant',
        component: () => import('./views/OperatorTenantView.vue'),
      },
      { path: 'operations', name: 'operations', component: () => import('./views/OperationsView.vue') },
      {
        path: 'operations/:operation',
        name: 'operation',
        component: () => import('./views/OperationView.vue'),
      },
      { path: 'inbox', name: 'inbox', component: () => import('./views/InboxView.vue') },
      { path: 'refunds', name: 'operator-refunds', component: () => import('./views/RefundsView.vue') },
      {
        path: 'organizations',
        name: 'operator-organizations',
        component: () => import('./views/OrganizationsView.vue'),
      },
      { path: 'users', name: 'operator-users', component: () => import('./views/UsersView.vue') },
      { path: 'users/:user', name: 'operator-user', component: () => import('./views/UserView.vue') },
      { path: 'operators', name: 'operators', component: () => import('./views/OperatorsView.vue') },
      {
        path: 'account',
        name: 'operator-account',
        component: () => import('./views/OperatorAccountView.vue'),
      },
    ],
  },
]
