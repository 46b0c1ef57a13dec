import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { useRoute } from 'vue-router'
import {
  createOrganizationMutation,
  getOrganizationOptions,
  getSessionQueryKey,
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
