import { keepPreviousData, useMutation, useQuery } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { passwordStrength, type Session, type SignInAnswer } from '@/client'
import {
  loginMutation,
  loginSecondFactorMutation,
  logoutMutation,
  registerMutation,
  verifyEmailMutation,
} from '@/client/@tanstack/vue-query.gen'
import { rememberSession } from './session'

export function useLogIn() {
  return useMutation({ ...loginMutation(), onSuccess: rememberIfSignedIn })
}

export function useLogInSecondFactor() {
  return useMutation({ ...loginSecondFactorMutation(), onSuccess: rememberIfSignedIn })
}

function rememberIfSignedIn(answer: SignInAnswer): void {
  if (answer.result === 'session') rememberSession(answer.session)
}

export function useSignUp() {
  return useMutation(registerMutation())
}

export function useConfirmEmail() {
  return useMutation({ ...verifyEmailMutation(), onSuccess: (session: Session) => rememberSession(session) })
}

export function useLogOut(to = '/login') {
  // A fresh page forgets everything that the old session had loaded.
  return useMutation({ ...logoutMutation(), onSuccess: () => window.location.assign(to) })
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
