import { useMutation, useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { beginCheckout, listSubscriptions } from '@/client'
import {
  cancelCheckoutMutation,
  checkTenantNameOptions,
  getCheckoutOptions,
  listProductsOptions,
} from '@/client/@tanstack/vue-query.gen'
import { useCursorList } from '@/app/cursorList'

const CATALOG_FRESH_MS = 5 * 60_000

export function useProducts() {
  return useQuery({ ...listProductsOptions(), staleTime: CATALOG_FRESH_MS })
}

/** Whether a tenant may have this name, and the host that it would get. */
export function useTenantName(organization: Ref<string>, name: Ref<string>) {
  return useQuery(
    computed(() => ({
      ...checkTenantNameOptions({ path: { organization: organization.value, name: name.value } }),
      enabled: name.value.length > 0,
      retry: false,
    })),
  )
}

interface Purchase {
  organization: string
  price: string
  tenantName: string
  /** The same for one press of *Buy* however often it is sent. */
  idempotencyKey: string
}

export function useBuy() {
  return useMutation({
    mutationFn: async ({ organization, price, tenantName, idempotencyKey }: Purchase) => {
      const { data } = await beginCheckout({
        path: { organization },
        body: { price, tenant_name: tenantName },
        headers: { 'Idempotency-Key': idempotencyKey },
      })
      return data
    },
  })
}

export function useCancelCheckout() {
  return useMutation(cancelCheckoutMutation())
}

/** Asks again every second while the answer can still change: the redirect proves nothing, only the server knows. */
export function useCheckout(organization: Ref<string>, checkout: Ref<string>, watching: Ref<boolean>) {
  return useQuery(
    computed(() => ({
      ...getCheckoutOptions({ path: { organization: organization.value, checkout: checkout.value } }),
      staleTime: 0,
      refetchInterval: watching.value ? 1_000 : (false as const),
      refetchIntervalInBackground: true,
    })),
  )
}

export function useSubscriptions(organization: Ref<string>) {
  return useCursorList({
    key: computed(() => ['subscriptions', organization.value]),
    fetch: async (cursor, signal) => {
      const { data } = await listSubscriptions({
        path: { organization: organization.value },
        query: { cursor },
        signal,
      })
      return data
    },
  })
}
