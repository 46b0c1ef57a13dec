import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { browserTimeZone, writeFor } from './personal'
import { refreshSession, rememberSession } from './session'
import { useCursorList } from '@/app/cursorList'
import { ifLoggedOut } from '@/app/sessionEnded'
import {
  listSessions,
  passwordStrength,
  putAvatar,
  readNewEmailLink,
  readSignUpLink,
  updateProfile,
  type Challenge,
  type Profile,
  type Session,
  type SignInAnswer,
} from '@/client'
import {
  changeEmailMutation,
  changePasswordMutation,
  confirmEmailMutation,
  confirmTotpMutation,
  deleteAvatarMutation,
  deleteAccountMutation,
  endOtherSessionsMutation,
  endSessionMutation,
  forgotPasswordMutation,
  getProfileOptions,
  getProfileQueryKey,
  getSecondFactorOptions,
  getSecondFactorQueryKey,
  loginMutation,
  loginSecondFactorMutation,
  logoutMutation,
  registerMutation,
  removeTotpMutation,
  renewRecoveryCodesMutation,
  resendVerificationMutation,
  resetPasswordMutation,
  setUpTotpMutation,
  stepUpMutation,
  updateProfileMutation,
  verifyEmailMutation,
} from '@/client/@tanstack/vue-query.gen'

function rememberIfSignedIn(answer: SignInAnswer): void {
  if (answer.result === 'session') rememberSession(answer.session)
}

/** What is still to be done after the password was right: nothing, or a code for this challenge. */
export function challengeOf(answer: SignInAnswer): Challenge | undefined {
  return answer.result === 'second_factor' ? answer.challenge : undefined
}

export function useLogIn() {
  return useMutation({ ...loginMutation(), onSuccess: rememberIfSignedIn })
}

export function useLogInSecondFactor() {
  return useMutation({ ...loginSecondFactorMutation(), onSuccess: rememberIfSignedIn })
}

export function useSignUp() {
  return useMutation(registerMutation())
}

export function useResendConfirmation() {
  return useMutation(resendVerificationMutation())
}

export function useForgotPassword() {
  return useMutation(forgotPasswordMutation())
}

export function useResetPassword() {
  return useMutation(resetPasswordMutation())
}

/** What a link in a mail would confirm. Its token is gone from memory as soon as nobody looks. */
const ofLink = { gcTime: 0, staleTime: Infinity } as const

export function useSignUpLink(token: string) {
  return useQuery({
    queryKey: ['sign-up-link', token],
    queryFn: async ({ signal }) => (await readSignUpLink({ body: { token }, signal })).data,
    enabled: token !== '',
    ...ofLink,
  })
}

export function useNewEmailLink(token: string) {
  return useQuery({
    queryKey: ['new-email-link', token],
    queryFn: async ({ signal }) => (await readNewEmailLink({ body: { token }, signal })).data,
    enabled: token !== '',
    ...ofLink,
  })
}

export function useConfirmNewEmail() {
  return useMutation({ ...confirmEmailMutation(), onSuccess: useRefreshMe() })
}

export function useStepUp() {
  return useMutation({ ...stepUpMutation(), onSuccess: refreshSession })
}

export function useConfirmEmail() {
  return useMutation({
    ...verifyEmailMutation(),
    onSuccess: (session: Session) => {
      rememberSession(session)
      // A new account knows no time zone. Nothing depends on it: it can be chosen later.
      void updateProfile({ body: { time_zone: browserTimeZone() } })
        .then(({ data }) => writeFor(data))
        .catch(() => undefined)
    },
  })
}

export function useLogOut(to = '/login') {
  // A fresh page forgets everything that the old session had loaded.
  const leave = () => window.location.assign(to)
  return useMutation({ ...logoutMutation(), onSuccess: leave, onError: ifLoggedOut(leave) })
}

export function useMe() {
  return useQuery(getProfileOptions())
}

/** The profile and the session say the same of a person: after a change, both are read again. */
function useRefreshMe() {
  const queries = useQueryClient()
  return async () => {
    await Promise.all([queries.invalidateQueries({ queryKey: getProfileQueryKey() }), refreshSession()])
  }
}

function useKeepMe() {
  const queries = useQueryClient()
  return (profile: Profile) => {
    queries.setQueryData(getProfileQueryKey(), profile)
    writeFor(profile)
    return refreshSession()
  }
}

export function useUpdateMe() {
  return useMutation({ ...updateProfileMutation(), onSuccess: useKeepMe() })
}

export function usePutAvatar() {
  return useMutation({
    mutationFn: async (picture: File) => {
      const headers = { 'Content-Type': picture.type }
      // As it is: else the client would send what JSON makes of a file, which is nothing.
      const { data } = await putAvatar({ body: picture, bodySerializer: null, headers })
      return data
    },
    onSuccess: useKeepMe(),
  })
}

export function useDeleteAvatar() {
  return useMutation({ ...deleteAvatarMutation(), onSuccess: useKeepMe() })
}

export function useChangeEmail() {
  return useMutation(changeEmailMutation())
}

export function useChangePassword() {
  const queries = useQueryClient()
  // The other sessions have ended.
  return useMutation({ ...changePasswordMutation(), onSuccess: () => queries.invalidateQueries() })
}

export function useDeleteMe() {
  return useMutation({
    ...deleteAccountMutation(),
    onSuccess: () => window.location.assign('/login?deleted=1'),
  })
}

const SESSIONS_KEY = ['my-sessions'] as const

export function useSessions() {
  return useCursorList({
    key: SESSIONS_KEY,
    fetch: async (cursor, signal) => {
      const { data } = await listSessions({ query: { cursor }, signal })
      return data
    },
  })
}

function useRefreshSessions() {
  const queries = useQueryClient()
  return () => queries.invalidateQueries({ queryKey: ['list', ...SESSIONS_KEY] })
}

export function useEndSession() {
  return useMutation({ ...endSessionMutation(), onSuccess: useRefreshSessions() })
}

export function useEndOtherSessions() {
  return useMutation({ ...endOtherSessionsMutation(), onSuccess: useRefreshSessions() })
}

export function useSecondFactor() {
  return useQuery(getSecondFactorOptions())
}

function useRefreshSecondFactor() {
  const queries = useQueryClient()
  return async () => {
    await Promise.all([
      queries.invalidateQueries({ queryKey: getSecondFactorQueryKey() }),
      queries.invalidateQueries({ queryKey: getProfileQueryKey() }),
      refreshSession(),
    ])
  }
}

export function useSetUpTotp() {
  return useMutation(setUpTotpMutation())
}

export function useConfirmTotp() {
  return useMutation({ ...confirmTotpMutation(), onSuccess: useRefreshSecondFactor() })
}

export function useRemoveTotp() {
  return useMutation({ ...removeTotpMutation(), onSuccess: useRefreshSecondFactor() })
}

export function useRenewRecoveryCodes() {
  return useMutation({ ...renewRecoveryCodesMutation(), onSuccess: useRefreshSecondFactor() })
}

/** How good a password is, given what an attacker would try first: the person's own name and address. */
export function usePasswordStrength(password: Ref<string>, inputs: Ref<string[]>) {
  return useQuery({
    queryKey: computed(() => ['password-strength', password.value, inputs.value]),
    queryFn: async ({ signal }) => {
      const { data } = await passwordStrength({
        body: { password: password.value, inputs: inputs.value.filter(Boolean) },
        signal,
      })
      return data
    },
    enabled: computed(() => password.value.length > 0),
    placeholderData: keepPreviousData,
    // The key holds a password: gone from memory as soon as nobody looks.
    gcTime: 0,
    retry: false,
  })
}
