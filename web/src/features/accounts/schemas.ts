import * as z from 'zod/mini'

type Translate = (key: string) => string

const required = (message: string) => z.string().check(z.trim(), z.minLength(1, message))

const email = (t: Translate) =>
  z.string().check(z.trim(), z.minLength(1, t('field.email.required')), z.email(t('field.email.invalid')))

const newPassword = (t: Translate) =>
  z.string().check(z.minLength(10, t('field.password.short')), z.maxLength(1_024, t('field.password.long')))

const currentPassword = (t: Translate) => z.string().check(z.minLength(1, t('field.password.required')))

export const emailSchema = (t: Translate) => z.object({ email: email(t) })

export const loginSchema = (t: Translate) => z.object({ email: email(t), password: currentPassword(t) })

export const passwordSchema = (t: Translate) => z.object({ password: currentPassword(t) })

export const codeSchema = (message: string) => z.object({ code: required(message) })

export const newPasswordSchema = (t: Translate) => z.object({ password: newPassword(t) })

export const changePasswordSchema = (t: Translate) =>
  z.object({ current_password: currentPassword(t), password: newPassword(t) })

export const firstOperatorSchema = (t: Translate) => z.object({ email: email(t), password: newPassword(t) })

export const nameSchema = (t: Translate) => z.object({ name: required(t('field.name.required')) })

export const signUpSchema = (t: Translate) =>
  z.object({
    name: required(t('field.name.required')),
    email: email(t),
    password: newPassword(t),
    organization_name: required(t('field.organizationName.required')),
  })
