import * as z from 'zod/mini'

type Translate = (key: string) => string

const required = (message: string) => z.string().check(z.trim(), z.minLength(1, message))

const email = (t: Translate) =>
  z.string().check(z.trim(), z.minLength(1, t('field.email.required')), z.email(t('field.email.invalid')))

export const loginSchema = (t: Translate) =>
  z.object({ email: email(t), password: z.string().check(z.minLength(1, t('field.password.required'))) })

export const signUpSchema = (t: Translate) =>
  z.object({
    name: required(t('field.name.required')),
    email: email(t),
    password: z
      .string()
      .check(z.minLength(10, t('field.password.short')), z.maxLength(256, t('field.password.long'))),
    organization_name: required(t('field.organizationName.required')),
  })
