import type { RouteRecordRaw } from 'vue-router'

export const publicBillingRoutes: RouteRecordRaw[] = [
  { path: '/pricing', name: 'pricing', component: () => import('./views/PricingView.vue') },
]

/** Below `/o/:organization`. */
export const billingRoutes: RouteRecordRaw[] = [
  { path: 'products', name: 'products', component: () => import('./views/ProductsView.vue') },
  {
    path: 'checkouts/:checkout',
    name: 'checkout',
    component: () => import('./views/CheckoutReturnView.vue'),
  },
  {
    path: 'checkouts/:checkout/cancelled',
    name: 'checkout-cancelled',
    component: () => import('./views/CheckoutCancelledView.vue'),
  },
  { path: 'billing', name: 'billing', component: () => import('./views/BillingView.vue') },
]
