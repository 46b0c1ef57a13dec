import { useQuery } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, type Ref } from 'vue'
import type { OperationSource } from './operationStream'
import { asTenantState } from './tenantStates'
import { getOperation, listTenants } from '@/client'
import { getOperationQueryKey, getTenantOptions } from '@/client/@tanstack/vue-query.gen'
import { useCursorList } from '@/app/cursorList'

export function useTenants(
  organization: Ref<string>,
  search: Ref<string>,
  state: Ref<string>,
  enabled: MaybeRefOrGetter<boolean> = true,
) {
  return useCursorList({
    key: computed(() => ['tenants', organization.value, search.value, state.value]),
    fetch: async (cursor, signal) => {
      const { data } = await listTenants({
        path: { organization: organization.value },
        query: { cursor, search: search.value || undefined, state: asTenantState(state.value) },
        signal,
      })
      return data
    },
    refetchIntervalMs: 15_000,
    enabled,
  })
}

export function useTenant(organization: Ref<string>, tenant: Ref<string>) {
  return useQuery(
    computed(() => ({
      ...getTenantOptions({ path: { organization: organization.value, tenant: tenant.value } }),
      refetchInterval: 15_000,
    })),
  )
}

export function operationSource(organization: string, operation: string): OperationSource {
  const path = { organization, operation }
  return {
    queryKey: getOperationQueryKey({ path }),
    fetch: async (signal) => (await getOperation({ path, signal })).data,
    streamUrl: `/api/v1/organizations/${encodeURIComponent(organization)}/operations/${encodeURIComponent(operation)}/events`,
  }
}
