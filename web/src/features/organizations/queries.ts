import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { useRoute } from 'vue-router'
import {
  createOrganizationMutation,
  getOrganizationOptions,
  getOrganizationSecurityOptions,
  getOrganizationSecurityQueryKey,
  getSessionQueryKey,
  putOrganizationSecurityMutation,
} from '@/client/@tanstack/vue-query.gen'

/** The organization that the address names: its slug (or id). */
export function useOrganizationSlug(): Ref<string> {
  const route = useRoute()
  return computed(() => String(route.params['organization'] ?? ''))
}

export function useOrganization() {
  const slug = useOrganizationSlug()
  return useQuery(computed(() => getOrganizationOptions({ path: { organization: slug.value } })))
}

export function useCreateOrganization() {
  const queries = useQueryClient()
  return useMutation({
    ...createOrganizationMutation(),
    // The session lists the organizations.
    onSuccess: () => queries.invalidateQueries({ queryKey: getSessionQueryKey() }),
  })
}

export function useOrganizationSecurity() {
  const slug = useOrganizationSlug()
  return useQuery(computed(() => getOrganizationSecurityOptions({ path: { organization: slug.value } })))
}

export function usePutOrganizationSecurity() {
  const queries = useQueryClient()
  return useMutation({
    ...putOrganizationSecurityMutation(),
    onSuccess: async (security, { path }) => {
      queries.setQueryData(getOrganizationSecurityQueryKey({ path }), security)
      // Whoever demands it may have to set one up as well.
      await queries.invalidateQueries({ queryKey: getSessionQueryKey() })
    },
  })
}
