import type { RouteRecordRaw } from 'vue-router'

export const accountRoutes: RouteRecordRaw[] = [
  { path: '/login', name: 'login', component: () => import('./views/LoginView.vue') },
  { path: '/signup', name: 'signup', component: () => import('./views/SignUpView.vue') },
  { path: '/signup/sent', name: 'signup-sent', component: () => import('./views/SignUpSentView.vue') },
  {
    path: '/signup/resend',
    name: 'resend-confirmation',
    component: () => import('./views/ResendConfirmationView.vue'),
  },
  { path: '/confirm', name: 'confirm', component: () => import('./views/ConfirmView.vue') },
  {
    path: '/forgot-password',
    name: 'forgot-password',
    component: () => import('./views/ForgotPasswordView.vue'),
  },
  {
    path: '/reset-password',
    name: 'reset-password',
    component: () => import('./views/ResetPasswordView.vue'),
  },
  {
    path: '/confirm-email',
    name: 'confirm-new-email',
    component: () => import('./views/ConfirmEmailView.vue'),
  },
  {
    path: '/account',
    component: () => import('./AccountLayout.vue'),
    meta: { audience: 'customer' },
    redirect: { name: 'account-profile' },
    children: [
      { path: 'profile', name: 'account-profile', component: () => import('./views/ProfileView.vue') },
      { path: 'security', name: 'account-security', component: () => import('./views/SecurityView.vue') },
      {
        path: 'security/second-factor',
        name: 'second-factor-setup',
        component: () => import('./views/SecondFactorSetupView.vue'),
      },
      { path: 'sessions', name: 'account-sessions', component: () => import('./views/SessionsView.vue') },
      {
        path: 'notifications',
        name: 'account-notifications',
        component: () => import('./views/NotificationsView.vue'),
      },
      { path: 'delete', name: 'account-delete', component: () => import('./views/DeleteAccountView.vue') },
    ],
  },
]
