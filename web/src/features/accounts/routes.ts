import type { RouteRecordRaw } from 'vue-router'

export const accountRoutes: RouteRecordRaw[] = [
  { path: '/login', name: 'login', component: () => import('./views/LoginView.vue') },
  { path: '/signup', name: 'signup', component: () => import('./views/SignUpView.vue') },
  { path: '/signup/sent', name: 'signup-sent', component: () => import('./views/SignUpSentView.vue') },
  { path: '/confirm', name: 'confirm', component: () => import('./views/ConfirmView.vue') },
]
