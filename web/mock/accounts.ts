import type { Profile, SecondFactor, Session, UserSession } from '../src/client/types.gen.ts'
import { ago, ahead, organizations } from './fixtures.ts'
import { HttpProblem, page, type Answer, type Ask } from './http.ts'
import { totpSetup } from './qr.ts'

/**
 * Who is logged in: `ada` has everything, `new` has an empty organization, `factor` has a second factor, `demand` belongs
 * to an organization that asks for one, `viewed` is looked at by an operator.
 */
const PERSONAS = ['ada', 'new', 'factor', 'demand', 'viewed'] as const
export type Persona = (typeof PERSONAS)[number] | 'none'

export function persona({ cookie }: Ask): Persona {
  const name = /mock_customer=(\w+)/.exec(cookie)?.[1]
  return PERSONAS.find((known) => known === name) ?? 'none'
}

const DAY = 86_400_000
const MINUTE = 60_000
const people: Partial<Record<Persona, Profile>> = {}

/** What a persona has made of their profile since the stand-in started. */
function profile(who: Persona): Profile {
  return (people[who] ??= {
    id: 'usr_01k8ada',
    email: `${who}@museum.example`,
    name: who === 'new' ? 'Noor New' : 'Ada Beispiel',
    locale: 'en-GB',
    time_zone: 'Europe/Berlin',
    avatar_url: null,
    notifications: { new_device: true, tenant_ready: true, payment_failed: true, product_news: false },
    second_factor: who === 'factor',
    created_at: ago(63 * DAY),
  })
}

const emptyOrganization = {
  id: 'org_new',
  slug: 'new-gallery',
  name: 'New Gallery',
  role: 'owner' as const,
}

export function session(who: Persona): Session {
  if (who === 'none') throw new HttpProblem(401, 'unauthenticated', 'Log in first.')
  const { id, email, name, locale, time_zone, avatar_url, second_factor } = profile(who)
  return {
    user: { id, email, name, locale, time_zone, avatar_url },
    csrf_token: 'mock-csrf',
    organizations: who === 'new' ? [emptyOrganization] : organizations,
    expires_at: ahead(DAY),
    second_factor,
    proved_until: ago(MINUTE),
    impersonation:
      who === 'viewed'
        ? {
            operator_email: 'support@example.org',
            reason: 'Ticket 4711: the set-up of the photo archive fails and the customer asks why',
            expires_at: ahead(24 * MINUTE),
          }
        : null,
    second_factor_required:
      who === 'demand' ? { organization: 'org_01k8museum', from: ahead(12 * DAY) } : null,
  }
}

export const logIn = (who: Persona): Answer => ({
  status: 200,
  body: session(who),
  headers: { 'Set-Cookie': `mock_customer=${who}; Path=/; HttpOnly; SameSite=Lax` },
})

function signIn(who: Persona): Answer {
  const { body, ...rest } = logIn(who)
  return { ...rest, body: { result: 'session', session: body } }
}

export const challenge = (token: string) => ({
  token,
  methods: ['totp', 'recovery_code'],
  expires_at: ahead(5 * MINUTE),
})

/** 000000 is never right, and 111111 comes too late. */
export function checkCode(code: unknown): void {
  if (code === '111111') throw new HttpProblem(410, 'challenge_expired', 'Sign in again.')
  if (code === '000000') throw new HttpProblem(401, 'code_invalid', 'Wait for the next code and enter that.')
}

function checkLink(token: unknown): void {
  if (token === 'old') throw new HttpProblem(410, 'link_expired', 'This link has expired.')
  if (token === 'unknown') throw new HttpProblem(404, 'link_unknown', 'This link is not known.')
}

function checkNewPassword(password: unknown): void {
  if (String(password).startsWith('museum'))
    throw new HttpProblem(422, 'password_too_weak', 'This password is easy to guess.', [
      { pointer: '/password', code: 'too_weak', detail: 'This password is in a list of leaked passwords.' },
    ])
}

export function changePassword(body: Ask['body']): Answer {
  if (body['current_password'] === 'wrong')
    throw new HttpProblem(422, 'validation_failed', 'Some fields need another look.', [
      {
        pointer: '/current_password',
        code: 'password_wrong',
        detail: 'This is not your present password.',
      },
    ])
  checkNewPassword(body['password'])
  return { status: 204 }
}

function register({ body }: Ask): Answer {
  if (body['organization_name'] === 'Refused') {
    throw new HttpProblem(422, 'validation_failed', 'Some fields need another look.', [
      { pointer: '/organization_name', code: 'invalid', detail: 'Use a name with at least one letter.' },
      { pointer: '/password', code: 'too_weak', detail: 'This password is in a list of leaked passwords.' },
    ])
  }
  return { status: 202, body: {} }
}

function strength({ body }: Ask): Answer {
  const password = String(body['password'])
  const score = Math.min(4, Math.floor(password.length / 5))
  const reasons =
    score < 3
      ? [
          'This is short and easy to guess.',
          'Add another word or two that have nothing to do with each other.',
        ]
      : []
  return { status: 200, body: { score, acceptable: score >= 3 && password.length >= 10, reasons } }
}

export function authRoute(ask: Ask, action: string): Answer {
  const { body } = ask
  switch (action) {
    case 'register':
      return register(ask)
    case 'verify-email':
      checkLink(body['token'])
      if (body['password'] === 'wrong')
        throw new HttpProblem(422, 'validation_failed', 'Some fields need another look.', [
          {
            pointer: '/password',
            code: 'password_wrong',
            detail: 'This is not the password that was chosen at this sign-up.',
          },
        ])
      return logIn('new')
    case 'verify-email/link':
      checkLink(body['token'])
      return {
        status: 200,
        body: {
          email: 'new@museum.example',
          name: 'Noor New',
          organization_name: emptyOrganization.name,
          asks_for_password: body['token'] === 'elsewhere',
        },
      }
    case 'confirm-email/link':
      checkLink(body['token'])
      return {
        status: 200,
        body: { user: 'usr_01k8ada', name: 'Ada Beispiel', email: 'ada.beispiel@museum.example' },
      }
    case 'login': {
      if (body['password'] === 'wrong')
        throw new HttpProblem(401, 'invalid_credentials', 'Email and password do not match.')
      const name = String(body['email']).split('@')[0]
      if (name === 'factor')
        return { status: 200, body: { result: 'second_factor', challenge: challenge('c') } }
      return signIn(PERSONAS.find((known) => known === name) ?? 'ada')
    }
    case 'login/second-factor':
      checkCode(body['code'])
      return signIn('factor')
    case 'logout':
      return { status: 204, headers: { 'Set-Cookie': 'mock_customer=; Path=/; Max-Age=0' } }
    case 'password-strength':
      return strength(ask)
    case 'reset-password':
      checkLink(body['token'])
      checkNewPassword(body['password'])
      return { status: 204 }
    case 'confirm-email':
      checkLink(body['token'])
      return { status: 204 }
    case 'step-up':
      if (body['password'] === 'wrong')
        throw new HttpProblem(401, 'invalid_credentials', 'The password is wrong.')
      checkCode(body['code'])
      provenAt.set(persona(ask), Date.now())
      return { status: 204 }
    default:
      return { status: 202, body: {} }
  }
}

const provenAt = new Map<Persona, number>()

/** A proof serves one act here, so that the dialog is seen each time. */
function needProof(who: Persona): void {
  if (!provenAt.delete(who)) throw new HttpProblem(403, 'step_up_required', 'Prove first that it is you.')
}

const agents = {
  linux: 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
  phone:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1',
  edge: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0',
}

const userSession = (
  id: string,
  kind: string,
  device: string,
  address: string,
  since: number,
  used: number,
): UserSession => ({
  id,
  kind,
  device,
  address,
  created_at: ago(since),
  last_used_at: ago(used),
  expires_at: ahead(30 * DAY),
  current: id === 'ses_here',
})

export const userSessions: UserSession[] = [
  userSession('ses_here', 'browser', agents.linux, '203.0.113.7', 3 * DAY, 0),
  userSession(
    'ses_phone',
    'browser',
    agents.phone,
    '2001:db8:85a3:8d3:1319:8a2e:370:7348',
    40 * DAY,
    2 * 3_600_000,
  ),
  userSession('ses_edge', 'browser', agents.edge, '198.51.100.23', 9 * DAY, 4 * DAY),
  userSession('ses_program', 'token', 'collection-sync/2.4.1', '192.0.2.14', 60 * DAY, 12 * MINUTE),
  userSession('ses_odd', 'browser', '', '192.0.2.200', 20 * DAY, 11 * DAY),
]

export const recoveryCodes = [
  'k7wq-2mzt-9xfa',
  'p3hn-8vdr-5cye',
  '6tjb-w4gs-qm2k',
  'zx9e-fh3u-7ndp',
  'r5ac-mk8w-t2vj',
  'g4yd-6pqe-n9sh',
  'b2uf-x7tz-3rwm',
  '8ksn-jc5v-hq4g',
  'e9wp-d3ma-y6xt',
  'v7hr-5zbk-f8cu',
]

function secondFactor(who: Persona): SecondFactor {
  const demanded = who === 'demand'
  return {
    enabled: who === 'factor',
    confirmed_at: who === 'factor' ? ago(41 * DAY) : null,
    recovery_codes_left: who === 'factor' ? 2 : 0,
    required_by: demanded
      ? [{ organization: 'org_01k8museum', name: 'Museum of Examples', from: ahead(12 * DAY) }]
      : [],
  }
}

export function meRoute(ask: Ask, path: string): Answer {
  const who = persona(ask)
  const me = profile(who)
  if (who === 'none') throw new HttpProblem(401, 'unauthenticated', 'Log in first.')
  if (who === 'viewed' && ask.method !== 'GET')
    throw new HttpProblem(403, 'impersonation_read_only', 'You can only look.')
  switch (`${ask.method} ${path}`) {
    case 'GET ':
      return { status: 200, body: me }
    case 'PATCH ': {
      const { notifications, ...rest } = ask.body as Partial<Profile>
      people[who] = { ...me, ...rest, notifications: { ...me.notifications, ...notifications } }
      return { status: 200, body: people[who] }
    }
    case 'POST email':
      needProof(who)
      return { status: 202, body: {} }
    case 'POST password':
      return changePassword(ask.body)
    case 'POST delete':
      throw new HttpProblem(
        409,
        'sole_owner',
        'You are the only owner of Museum of Examples (org_01k8museum).',
      )
    case 'GET sessions':
      return page(userSessions, ask)
    case 'GET second-factor':
      return { status: 200, body: secondFactor(who) }
    case 'POST second-factor/totp':
      return { status: 200, body: totpSetup(me.email) }
    case 'POST second-factor/totp/confirm':
      checkCode(ask.body['code'])
      return { status: 200, body: { recovery_codes: recoveryCodes } }
    case 'POST second-factor/recovery-codes':
      return { status: 200, body: { recovery_codes: recoveryCodes } }
    case 'DELETE second-factor/totp':
      needProof(who)
      return { status: 204 }
    default:
      if (path === 'avatar') return { status: 200, body: me }
      return { status: 204 }
  }
}

export function securityRoute(ask: Ask): Answer {
  const required = ask.body['second_factor_required'] === true
  return {
    status: 200,
    body: { second_factor_required: required, from: required ? ahead(14 * DAY) : null },
  }
}
