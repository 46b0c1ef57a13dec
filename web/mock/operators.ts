import type { OperatorAccount, OperatorUserSession, OperatorUserSummary } from '../src/client/types.gen.ts'
import { challenge, changePassword, checkCode, recoveryCodes, userSessions } from './accounts.ts'
import { ago, ahead, fleetOrganizations } from './fixtures.ts'
import { HttpProblem, page, type Answer, type Ask } from './http.ts'
import { totpSetup } from './qr.ts'

const DAY = 86_400_000

export const operatorSession = {
  operator: { id: 'opr_1', email: 'ops@example.org', role: 'admin' },
  csrf_token: 'mock-operator-csrf',
  expires_at: ahead(DAY),
}

const cookie = { 'Set-Cookie': 'mock_operator=1; Path=/; HttpOnly; SameSite=Lax' }

/** `fresh@` has no second factor yet. */
export function operatorAuthRoute({ body }: Ask, action: string): Answer {
  switch (action) {
    case 'logout':
      return { status: 204, headers: { 'Set-Cookie': 'mock_operator=; Path=/; Max-Age=0' } }
    case 'login':
      if (body['password'] === 'wrong')
        throw new HttpProblem(401, 'invalid_credentials', 'Email and password do not match.')
      return {
        status: 200,
        body: {
          result: String(body['email']).startsWith('fresh') ? 'set_up_second_factor' : 'second_factor',
          challenge: challenge('o'),
        },
      }
    case 'password':
      return changePassword(body)
    case 'first':
      return { status: 200, body: { result: 'set_up_second_factor', challenge: challenge('o') } }
    case 'login/second-factor':
      checkCode(body['code'])
      return { status: 200, body: operatorSession, headers: cookie }
    case 'second-factor/totp':
      return { status: 200, body: totpSetup('ops@example.org') }
    case 'second-factor/confirm':
      checkCode(body['code'])
      return {
        status: 200,
        body: { session: operatorSession, recovery_codes: recoveryCodes },
        headers: cookie,
      }
    default:
      throw new HttpProblem(404, 'not_found', 'There is no such page.')
  }
}

const names = [
  'Ada Beispiel',
  'Noor New',
  'Jean-Baptiste Exemple',
  'Søren Eksempel',
  'Олена Зразкова',
  '例 花子',
]

const users: OperatorUserSummary[] = Array.from({ length: 240 }, (_, index) => {
  const name = names[index % names.length] ?? ''
  return {
    id: index === 0 ? 'usr_01k8ada' : `usr_${String(index).padStart(26, '01k8abcdefghjkmnpqrstvwxyz')}`,
    name: index < names.length ? name : `${name} ${index}`,
    email: index === 0 ? 'ada@museum.example' : `person.${index}@house-${index % 90}.example`,
    created_at: ago((index + 1) * DAY),
    last_used_at: index % 7 === 4 ? null : ago(index * 3_600_000 + 60_000),
    second_factor: index % 3 === 0,
    organizations: index % 5 === 4 ? 0 : 1 + (index % 3),
  }
})

const sessions: OperatorUserSession[] = [
  ...userSessions.map(({ id, kind, device, address, created_at, last_used_at, expires_at }) => ({
    id,
    kind: kind === 'token' ? ('token' as const) : ('browser' as const),
    device,
    address,
    created_at,
    last_used_at,
    expires_at,
    operator_email: null,
  })),
  {
    id: 'ses_support',
    kind: 'support',
    device: 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
    address: null,
    created_at: ago(600_000),
    last_used_at: ago(60_000),
    expires_at: ahead(1_200_000),
    operator_email: 'support@example.org',
  },
]

export function usersRoute(ask: Ask, [id = '', noun, session]: string[]): Answer {
  const search = ask.url.searchParams.get('search')?.toLowerCase() ?? ''
  if (!id)
    return page(
      users.filter(({ name, email }) => `${name} ${email}`.toLowerCase().includes(search)),
      ask,
    )
  const user = users.find((entry) => entry.id === id)
  if (!user) throw new HttpProblem(404, 'not_found', 'There is no such user.')
  if (noun === 'view-as') {
    return {
      status: 200,
      body: { url: 'http://127.0.0.1/', expires_at: ahead(1_800_000) },
      headers: { 'Set-Cookie': 'mock_customer=viewed; Path=/; HttpOnly; SameSite=Lax' },
    }
  }
  if (noun === 'sessions') return session ? { status: 204 } : page(sessions, ask)
  return {
    status: 200,
    body: {
      ...user,
      locale: 'en-GB',
      time_zone: 'Europe/Berlin',
      verified_at: user.created_at,
      memberships: fleetOrganizations.slice(0, user.organizations + 1).map((entry, index) => ({
        id: entry.id,
        slug: entry.slug,
        name: entry.name,
        role: index === 0 ? 'owner' : 'member',
        joined_at: user.created_at,
      })),
    },
  }
}

const account = (id: string, email: string, role: string, disabled = false): OperatorAccount => ({
  id,
  email,
  role,
  second_factor: !email.startsWith('new'),
  created_at: ago(200 * DAY),
  last_used_at: email.startsWith('new') ? null : ago(3_600_000),
  disabled_at: disabled ? ago(20 * DAY) : null,
})

const operators = [
  account('opr_4', 'former.colleague@example.org', 'support', true),
  account('opr_3', 'new.colleague@example.org', 'viewer'),
  account('opr_1', 'ops@example.org', 'admin'),
  account('opr_2', 'support@example.org', 'support'),
]

export function operatorsRoute(ask: Ask, [id]: string[]): Answer {
  if (!id) return page(operators, ask)
  return { status: 200, body: operators.find((entry) => entry.id === id) }
}
