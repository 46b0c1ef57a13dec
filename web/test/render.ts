import { VueQueryPlugin } from '@tanstack/vue-query'
import { mount, type VueWrapper } from '@vue/test-utils'
import UApp from '@nuxt/ui/components/App.vue'
import { defineComponent, h, type Component } from 'vue'
import { createMemoryHistory, createRouter, type Router } from 'vue-router'
import { configureHttp } from '@/app/http'
import { i18n } from '@/app/i18n'
import { queryClient } from '@/app/queryClient'

const names: [path: string, name: string][] = [
  ['/', 'home'],
  ['/login', 'login'],
  ['/signup', 'signup'],
  ['/signup/sent', 'signup-sent'],
  ['/signup/resend', 'resend-confirmation'],
  ['/confirm', 'confirm'],
  ['/confirm-email', 'confirm-email'],
  ['/forgot-password', 'forgot-password'],
  ['/pricing', 'pricing'],
  ['/account/profile', 'account-profile'],
  ['/account/security', 'account-security'],
  ['/account/security/second-factor', 'second-factor-setup'],
  ['/o/:organization', 'overview'],
  ['/o/:organization/products', 'products'],
  ['/o/:organization/tenants', 'tenants'],
  ['/o/:organization/tenants/:tenant', 'tenant'],
  ['/o/:organization/checkouts/:checkout', 'checkout'],
  ['/operator', 'fleet'],
  ['/operator/login', 'operator-login'],
]

export interface Rendered {
  wrapper: VueWrapper
  router: Router
}

/** A component as it stands in the application: its routes, words, queries and surroundings. */
export async function render(
  component: Component,
  { path = '/', props = {} }: { path?: string; props?: Record<string, unknown> } = {},
): Promise<Rendered> {
  configureHttp()
  const router = createRouter({
    history: createMemoryHistory(),
    routes: names.map(([route, name]) => ({ path: route, name, component: { render: () => null } })),
  })
  await router.push(path)
  const Surroundings = defineComponent(() => () => h(UApp, null, { default: () => h(component, props) }))
  const wrapper = mount(Surroundings, {
    attachTo: document.body,
    global: { plugins: [router, i18n, [VueQueryPlugin, { queryClient }]] },
  })
  return { wrapper, router }
}
