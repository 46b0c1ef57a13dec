import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter, type Ref } from 'vue'
import { rememberOperatorSession } from './session'
import { useCursorList } from '@/app/cursorList'
import { localPath } from '@/app/localPath'
import { ifLoggedOut } from '@/app/sessionEnded'
import {
  operatorGetOperation,
  operatorListCheckouts,
  operatorListOperators,
  operatorListOperations,
  operatorListOrganizations,
  operatorListStripeEvents,
  operatorListTenants,
  operatorListUserSessions,
  operatorListUsers,
  type OperationState,
  type OperatorFactorConfirmed,
  type OperatorSession,
  type StripeEventState,
  type ViewAs,
} from '@/client'
import {
  operatorChangePasswordMutation,
  operatorConfirmTotpMutation,
  operatorDeprovisionTenantMutation,
  operatorDisableOperatorMutation,
  operatorEnableOperatorMutation,
  operatorEndUserSessionMutation,
  operatorFirstMutation,
  operatorGetOperationQueryKey,
  operatorGetTenantOptions,
  operatorGetUserOptions,
  operatorLoginMutation,
  operatorLoginSecondFactorMutation,
  operatorLogoutMutation,
  operatorOverviewOptions,
  operatorRefundCheckoutMutation,
  operatorReplayStripeEventMutation,
  operatorRetryOperationMutation,
  operatorRetryTenantMutation,
  operatorSetRoleMutation,
  operatorSetUpTotpMutation,
  operatorViewAsMutation,
} from '@/client/@tanstack/vue-query.gen'
import type { OperationSource } from '@/features/provisioning/operationStream'
import { asTenantState } from '@/features/provisioning/tenantStates'

const REFRESH_MS = 5_000

export const OPERATION_STATES: readonly OperationState[] = [
  'stuck',
  'undone',
  'undoing',
  'running',
  'waiting',
  'queued',
  'done',
]
export const EVENT_STATES: readonly StripeEventState[] = ['failed', 'received', 'applied', 'ignored']

export function useOperatorLogIn() {
  return useMutation(operatorLoginMutation())
}

export function useFirstOperator() {
  return useMutation(operatorFirstMutation())
}

export function useOperatorSecondFactor() {
  return useMutation({
    ...operatorLoginSecondFactorMutation(),
    onSuccess: (session: OperatorSession) => rememberOperatorSession(session),
  })
}

export function useOperatorSetUpTotp() {
  return useMutation(operatorSetUpTotpMutation())
}

export function useOperatorConfirmTotp() {
  return useMutation({
    ...operatorConfirmTotpMutation(),
    onSuccess: ({ session }: OperatorFactorConfirmed) => rememberOperatorSession(session),
  })
}

export function useOperatorLogOut() {
  const leave = () => window.location.assign('/operator/login')
  return useMutation({ ...operatorLogoutMutation(), onSuccess: leave, onError: ifLoggedOut(leave) })
}

export function useChangeOperatorPassword() {
  return useMutation(operatorChangePasswordMutation())
}

export function useFleetOverview() {
  return useQuery({ ...operatorOverviewOptions(), refetchInterval: REFRESH_MS })
}

export function useFleet(search: Ref<string>, state: Ref<string>) {
  return useCursorList({
    key: computed(() => ['operator', 'tenants', search.value, state.value]),
    fetch: async (cursor, signal) => {
      const { data } = await operatorListTenants({
        query: { cursor, search: search.value || undefined, state: asTenantState(state.value) },
        signal,
      })
      return data
    },
    refetchIntervalMs: REFRESH_MS,
  })
}

export function useOperatorTenant(tenant: Ref<string>, enabled: MaybeRefOrGetter<boolean> = true) {
  return useQuery(
    computed(() => ({
      ...operatorGetTenantOptions({ path: { tenant: tenant.value } }),
      refetchInterval: REFRESH_MS,
      enabled: toValue(enabled),
    })),
  )
}

export function useOperations(state: Ref<string>) {
  return useCursorList({
    key: computed(() => ['operator', 'operations', state.value]),
    fetch: async (cursor, signal) => {
      const { data } = await operatorListOperations({
        query: { cursor, state: OPERATION_STATES.find((entry) => entry === state.value) },
        signal,
      })
      return data
    },
    refetchIntervalMs: REFRESH_MS,
  })
}

export function operatorOperationSource(operation: string): OperationSource {
  const path = { operation }
  return {
    queryKey: operatorGetOperationQueryKey({ path }),
    fetch: async (signal) => (await operatorGetOperation({ path, signal })).data,
    streamUrl: `/api/v1/operator/operations/${encodeURIComponent(operation)}/events`,
  }
}

export function useInbox(state: Ref<string>) {
  return useCursorList({
    key: computed(() => ['operator', 'inbox', state.value]),
    fetch: async (cursor, signal) => {
      const { data } = await operatorListStripeEvents({
        query: { cursor, state: EVENT_STATES.find((entry) => entry === state.value) },
        signal,
      })
      return data
    },
    refetchIntervalMs: REFRESH_MS,
  })
}

export function useOrganizations(search: Ref<string>) {
  return useCursorList({
    key: computed(() => ['operator', 'organizations', search.value]),
    fetch: async (cursor, signal) => {
      const { data } = await operatorListOrganizations({
        query: { cursor, search: search.value || undefined },
        signal,
      })
      return data
    },
  })
}

/** Payments that bought nothing and are to go back. */
export function useRefunds() {
  return useCursorList({
    key: computed(() => ['operator', 'refunds']),
    fetch: async (cursor, signal) => {
      const { data } = await operatorListCheckouts({ query: { cursor, refund_needed: true }, signal })
      return data
    },
    refetchIntervalMs: REFRESH_MS,
  })
}

export function useUsers(search: Ref<string>) {
  return useCursorList({
    key: computed(() => ['operator', 'users', search.value]),
    fetch: async (cursor, signal) => {
      const { data } = await operatorListUsers({
        query: { cursor, search: search.value || undefined },
        signal,
      })
      return data
    },
  })
}

export function useUser(user: Ref<string>) {
  return useQuery(computed(() => operatorGetUserOptions({ path: { user: user.value } })))
}

export function useUserSessions(user: Ref<string>) {
  return useCursorList({
    key: computed(() => ['operator', 'user-sessions', user.value]),
    fetch: async (cursor, signal) => {
      const { data } = await operatorListUserSessions({
        path: { user: user.value },
        query: { cursor },
        signal,
      })
      return data
    },
  })
}

/** The path of an address of this site, whatever name the server knows itself by. */
function pathOf(url: string): string {
  return localPath(URL.canParse(url) ? new URL(url).pathname : url, '/')
}

/** Opens the customer's pages in this window, as the customer sees them. */
export function useViewAs() {
  return useMutation({
    ...operatorViewAsMutation(),
    // A fresh page: nothing of a customer who was logged in here before may be shown.
    onSuccess: ({ url }: ViewAs) => window.location.assign(pathOf(url)),
  })
}

export function useOperators(search: Ref<string>) {
  return useCursorList({
    key: computed(() => ['operator', 'operators', search.value]),
    fetch: async (cursor, signal) => {
      const { data } = await operatorListOperators({
        query: { cursor, search: search.value || undefined },
        signal,
      })
      return data
    },
  })
}

/** Everything on the operator's pages may have changed after one of these. */
function useRefreshAll() {
  const queries = useQueryClient()
  return () => queries.invalidateQueries()
}

export function useRetryOperation() {
  return useMutation({ ...operatorRetryOperationMutation(), onSuccess: useRefreshAll() })
}

export function useRefundCheckout() {
  return useMutation({ ...operatorRefundCheckoutMutation(), onSuccess: useRefreshAll() })
}

export function useRetryTenant() {
  return useMutation({ ...operatorRetryTenantMutation(), onSuccess: useRefreshAll() })
}

export function useDeprovisionTenant() {
  return useMutation({ ...operatorDeprovisionTenantMutation(), onSuccess: useRefreshAll() })
}

export function useReplayEvent() {
  return useMutation({ ...operatorReplayStripeEventMutation(), onSuccess: useRefreshAll() })
}

export function useEndUserSession() {
  return useMutation({ ...operatorEndUserSessionMutation(), onSuccess: useRefreshAll() })
}

export function useDisableOperator() {
  return useMutation({ ...operatorDisableOperatorMutation(), onSuccess: useRefreshAll() })
}

export function useEnableOperator() {
  return useMutation({ ...operatorEnableOperatorMutation(), onSuccess: useRefreshAll() })
}

export function useSetOperatorRole() {
  return useMutation({ ...operatorSetRoleMutation(), onSuccess: useRefreshAll() })
}
