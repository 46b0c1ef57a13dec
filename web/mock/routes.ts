import type { Checkout, Operation, Organization, Tenant, TenantSummary } from '../src/client/types.gen.ts'
import {
  TENANT_DOMAIN,
  ago,
  ahead,
  events,
  fleet,
  fleetOrganizations,
  organizations,
  products,
  subscriptions,
  tenants,
} from './fixtures.ts'
import { authRoute, meRoute, persona, securityRoute, session, type Persona } from './accounts.ts'
import { HttpProblem, filtered, page, type Answer, type Ask } from './http.ts'
import { operatorAuthRoute, operatorSession, operatorsRoute, usersRoute } from './operators.ts'
import { fixtureOperation, manyOperations, running, summary } from './operations.ts'

function organization(who: Persona, slug: string): Organization {
  const found = session(who).organizations.find((entry) => entry.slug === slug || entry.id === slug)
  if (!found) throw new HttpProblem(404, 'not_found', 'There is no such organization.')
  return {
    ...found,
    permissions: ['billing.manage', 'organization.manage', 'tenants.create', 'tenants.read'],
    created_at: ago(63 * 86_400_000),
    subscriptions: found.slug === 'museum-of-examples' ? subscriptions : [],
  }
}

type MockCheckout = Checkout & { tenant_id: string; host: string; paidAt?: number }
const checkouts = new Map<string, MockCheckout>()

function fixtureCheckout(id: string, state: Checkout['state']): MockCheckout {
  return {
    id,
    state,
    url: state === 'open' ? `http://127.0.0.1:4010/__mock__/pay/${id}` : undefined,
    tenant_id: 'ten_setup',
    host: 'natural-history.tenants.localhost',
    product: 'collection',
    plan: 'starter',
    price: { amount_minor: 4_900, currency: 'EUR' },
    interval: 'month',
    operation_id:
      state === 'paid'
        ? id === 'chk_done'
          ? 'op_main'
          : id === 'chk_undone'
            ? 'op_failed'
            : 'op_setup'
        : undefined,
    failure:
      state === 'failed' ? { code: 'card_declined', detail: 'Your bank declined the card.' } : undefined,
    expires_at: ahead(1_800_000),
    created_at: ago(60_000),
  }
}

const fixedCheckouts: Record<string, Checkout['state']> = {
  chk_open: 'open',
  chk_paid: 'paid',
  chk_done: 'paid',
  chk_undone: 'paid',
  chk_failed: 'failed',
  chk_expired: 'expired',
}

function checkout(id: string): Checkout {
  const fixed = fixedCheckouts[id]
  if (fixed) {
    const found = fixtureCheckout(id, fixed)
    if (id === 'chk_done')
      return { ...found, tenant_id: 'ten_main', host: 'museum-of-examples.tenants.localhost' }
    return id === 'chk_undone' ? { ...found, tenant_id: 'ten_failed', host: hostOf('ten_failed') } : found
  }
  const live = checkouts.get(id)
  if (!live) throw new HttpProblem(404, 'not_found', 'There is no such checkout.')
  // The webhook is late, as in life.
  const paid = live.paidAt !== undefined && Date.now() - live.paidAt > 3_000
  return { ...live, state: paid ? 'paid' : live.state, operation_id: paid ? `op_live_${id}` : undefined }
}

const hostOf = (id: string) => tenants.find((entry) => entry.id === id)?.host ?? ''

export function findOperation(id: string): Operation | undefined {
  const live = checkouts.get(id.replace('op_live_', ''))
  if (live?.paidAt)
    return running({ id, tenant: live.tenant_id, startedAgoMs: Date.now() - live.paidAt - 3_000 })
  return fixtureOperation(id) ?? manyOperations().find((entry) => entry.id === id)
}

function operation(id: string): Operation {
  const found = findOperation(id)
  if (!found) throw new HttpProblem(404, 'not_found', 'There is no such operation.')
  return found
}

function allTenants(): TenantSummary[] {
  const live = [...checkouts.values()].map((entry): TenantSummary => {
    const done = entry.paidAt && findOperation(`op_live_${entry.id}`)?.ended_at
    const name = entry.host.split('.')[0] ?? entry.host
    return {
      id: entry.tenant_id,
      name,
      host: entry.host,
      url: `http://${name}.${TENANT_DOMAIN}`,
      product: entry.product,
      plan: entry.plan,
      state: done ? 'active' : entry.paidAt ? 'provisioning' : 'pending',
      created_at: entry.created_at,
    }
  })
  return [...live, ...tenants]
}

function tenant(id: string): Tenant {
  const found = allTenants().find((entry) => entry.id === id) ?? fleet.find((entry) => entry.id === id)
  if (!found) throw new HttpProblem(404, 'not_found', 'There is no such tenant.')
  const operations = manyOperations()
    .filter((entry) => entry.tenant_id === id && /^op_[a-z]+$/.test(entry.id))
    .map(summary)
  const owner = fleet.find((entry) => entry.id === id)?.organization ?? organizations[0]
  return {
    ...found,
    organization: { id: owner?.id ?? '', slug: owner?.slug ?? '', name: owner?.name ?? '' },
    subscription_id: 'sub_1',
    namespace: `tnt-${found.name.slice(0, 20)}-01k8w3v7`,
    release: `collection-${found.name.slice(0, 20)}`,
    current_operation: operations.find((entry) => !entry.ended_at),
    operations,
  }
}

function createCheckout({ body, url, host }: Ask): Answer {
  const name = String(body['tenant_name'])
  const price = products
    .flatMap((p) => p.plans.flatMap((plan) => plan.prices.map((x) => ({ ...x, plan: plan.key }))))
    .find((entry) => entry.lookup_key === body['price'])
  if (name === 'taken' || name === 'museum-of-examples') {
    throw new HttpProblem(409, 'name_taken', 'Another tenant has this name.', [
      {
        pointer: '/tenant_name',
        code: 'name_taken',
        detail: 'Another tenant has this name. Choose another one.',
      },
    ])
  }
  if (name === 'outage')
    throw new HttpProblem(503, 'payment_provider_unavailable', 'The payment provider does not answer.')
  if (!price) throw new HttpProblem(422, 'validation_failed', 'There is no such price.')
  const id = `chk_${Date.now().toString(36)}`
  const slug = url.pathname.split('/')[4]
  const created: MockCheckout = {
    ...fixtureCheckout(id, 'open'),
    tenant_id: `ten_${id}`,
    host: `${name}.${TENANT_DOMAIN.split(':')[0]}`,
    plan: price.plan,
    price: price.amount,
    interval: price.interval,
    url: `http://${host}/__mock__/pay/${id}?o=${slug}`,
  }
  checkouts.set(id, created)
  return { status: 201, body: created }
}

function tenantName(name: string): Answer {
  const host = `${name}.${TENANT_DOMAIN.split(':')[0]}`
  if (name === 'admin' || name === 'www') {
    return {
      status: 200,
      body: {
        name,
        available: false,
        reason: 'name_reserved',
        detail: 'This name is reserved. Choose another one.',
        host,
      },
    }
  }
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)) {
    return {
      status: 200,
      body: {
        name,
        available: false,
        reason: 'name_invalid',
        detail: 'Use lower-case letters, digits and hyphens, beginning and ending with a letter or digit.',
        host,
      },
    }
  }
  if (tenants.some((entry) => entry.name === name)) {
    return {
      status: 200,
      body: {
        name,
        available: false,
        reason: 'name_taken',
        detail: 'Another tenant has this name.',
        suggestion: `${name}-2`,
        host,
      },
    }
  }
  return { status: 200, body: { name, available: true, host } }
}

function customerRoute(ask: Ask, path: string[]): Answer {
  const who = persona(ask)
  const [slug = '', noun, id = '', verb] = path
  const owner = organization(who, slug)
  const full = owner.slug === 'museum-of-examples'
  switch (noun) {
    case undefined:
      return { status: 200, body: owner }
    case 'checkouts':
      if (!id) return createCheckout(ask)
      if (verb === 'cancel') {
        const found = checkouts.get(id)
        if (found) checkouts.set(id, { ...found, state: 'expired', url: undefined })
      }
      return { status: 200, body: checkout(id) }
    case 'tenant-names':
      return tenantName(decodeURIComponent(id))
    case 'security':
      return securityRoute(ask)
    case 'subscriptions':
      return page(owner.subscriptions, ask)
    case 'tenants':
      if (id) return { status: 200, body: tenant(id) }
      return page(
        filtered(full ? allTenants() : [], ask, (entry) => entry.name + entry.host),
        ask,
      )
    case 'operations':
      return { status: 200, body: operation(id) }
    default:
      throw new HttpProblem(404, 'not_found', 'There is no such page.')
  }
}

function operatorRoute(ask: Ask, path: string[]): Answer {
  const [noun = '', id = '', verb] = path
  if (noun === 'auth') return operatorAuthRoute(ask, path.slice(1).join('/'))
  if (!ask.cookie.includes('mock_operator=1')) throw new HttpProblem(401, 'unauthenticated', 'Log in first.')
  switch (noun) {
    case 'session':
      return { status: 200, body: operatorSession }
    case 'overview': {
      const counts: Record<string, number> = {}
      for (const { state } of fleet) counts[state] = (counts[state] ?? 0) + 1
      return {
        status: 200,
        body: {
          tenants_by_state: counts,
          operations_stuck: 1,
          operations_failed: 1,
          inbox_pending: 2,
          inbox_failed: 1,
          refunds_needed: refunds.length,
          organizations: fleetOrganizations.length,
          unknown_namespaces: [],
        },
      }
    }
    case 'tenants':
      if (verb) return { status: 202, body: operation('op_failed') }
      if (id) return { status: 200, body: tenant(id) }
      return page(
        filtered(fleet, ask, (entry) => entry.name + entry.host + entry.organization.name),
        ask,
      )
    case 'operations':
      if (verb === 'retry') return { status: 202, body: operation('op_setup') }
      if (id) return { status: 200, body: operation(id) }
      return page(
        filtered(
          manyOperations().map((entry) => ({ ...summary(entry), tenant_id: entry.tenant_id })),
          ask,
          (entry) => entry.kind,
        ),
        ask,
      )
    case 'stripe-events':
      return verb
        ? { status: 202, body: {} }
        : page(
            filtered(events, ask, (entry) => entry.type),
            ask,
          )
    case 'checkouts':
      return page(refunds, ask)
    case 'users':
      return usersRoute(ask, path.slice(1))
    case 'operators':
      return operatorsRoute(ask, path.slice(1))
    case 'organizations':
      return page(
        filtered(
          fleetOrganizations.map((entry) => ({ ...entry, state: '' })),
          ask,
          (entry) => entry.name + entry.slug,
        ),
        ask,
      )
    default:
      throw new HttpProblem(404, 'not_found', 'There is no such page.')
  }
}

const refunds = [
  {
    id: 'chk_refund',
    organization: { id: 'org_1', slug: 'museum-of-examples', name: 'Museum of Examples' },
    tenant_name: 'museum-of-doubles',
    product: 'collection',
    plan: 'starter',
    price: 'collection_starter_month_eur',
    amount: { amount_minor: 4_900, currency: 'EUR' },
    state: 'failed',
    failure: {
      code: 'already_bought',
      detail:
        'This was paid for twice. The second payment will be refunded; what you bought is not affected.',
    },
    refund_needed: true,
    stripe_session_id: 'cs_test_a1b2c3',
    created_at: ahead(-3_600_000),
  },
]

/** A page like the payment provider's, as far as the way back goes. */
function payPage(id: string, slug: string, action: string | null): Answer {
  const found = checkouts.get(id)
  if (found && action === 'pay') checkouts.set(id, { ...found, paidAt: Date.now() })
  const to = action === 'pay' ? `/o/${slug}/checkouts/${id}` : `/o/${slug}/checkouts/${id}/cancelled`
  if (action) return { status: 303, headers: { Location: to, 'Content-Type': 'text/html' } }
  return {
    status: 200,
    headers: { 'Content-Type': 'text/html' },
    body: `<h1>Pay</h1><form><input type="hidden" name="o" value="${slug}"><button name="do" value="pay">Pay</button><button name="do" value="close">Back</button></form>`,
  }
}

export function route(ask: Ask): Answer {
  const { url } = ask
  if (url.pathname.startsWith('/__mock__/pay/')) {
    return payPage(
      url.pathname.split('/').at(-1) ?? '',
      url.searchParams.get('o') ?? '',
      url.searchParams.get('do'),
    )
  }
  const [noun, ...rest] = url.pathname.replace('/api/v1/', '').split('/')
  switch (noun) {
    case 'meta':
      return {
        status: 200,
        body: {
          name: 'Tenantry',
          version: '0.1.0',
          livemode: false,
          tenant_domain: TENANT_DOMAIN.split(':')[0],
          public_url: '',
        },
      }
    case 'auth':
      return authRoute(ask, rest.join('/'))
    case 'me':
      return meRoute(ask, rest.join('/'))
    case 'session':
      return { status: 200, body: session(persona(ask)) }
    case 'products':
      return { status: 200, body: { items: products } }
    case 'organizations':
      if (rest.length === 0 && ask.method === 'POST')
        return { status: 201, body: organization('ada', 'museum-of-examples') }
      return customerRoute(ask, rest)
    case 'operator':
      return operatorRoute(ask, rest)
    default:
      throw new HttpProblem(404, 'not_found', 'There is no such page.')
  }
}
