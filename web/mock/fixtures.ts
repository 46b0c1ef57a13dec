import type {
  OperatorOrganization,
  OrganizationMembership,
  Product,
  StripeEvent,
  Subscription,
  TenantState,
  TenantSummary,
} from '../src/client/types.gen.ts'

/** Data that looks like life: long names, failing things, many rows. Development only; never part of the bundle. */

export const TENANT_DOMAIN = 'tenants.localhost:8480'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
export const ago = (ms: number) => new Date(Date.now() - ms).toISOString()
export const ahead = (ms: number) => new Date(Date.now() + ms).toISOString()

export const organizations: OrganizationMembership[] = [
  { id: 'org_01k8museum', slug: 'museum-of-examples', name: 'Museum of Examples', role: 'owner' },
  {
    id: 'org_01k8long',
    slug: 'stiftung-niedersaechsische-gedenkstaetten',
    name: 'Stiftung für die Erhaltung niedersächsischer Gedenkstätten und Freilichtmuseen e. V.',
    role: 'admin',
  },
]

const plan = (
  key: string,
  name: string,
  rank: number,
  month: number,
  description: string,
  features: string[],
  limits: Record<string, number | null>,
  highlight = false,
) => ({
  key,
  name,
  description,
  rank,
  highlight,
  features,
  limits,
  prices: [
    {
      lookup_key: `collection_${key}_month_eur`,
      interval: 'month' as const,
      amount: { amount_minor: month, currency: 'EUR' },
    },
    {
      lookup_key: `collection_${key}_year_eur`,
      interval: 'year' as const,
      amount: { amount_minor: month * 10, currency: 'EUR' },
    },
  ],
})

export const products: Product[] = [
  {
    key: 'collection',
    name: 'Collection',
    description:
      'Catalogue, photograph and publish a collection. Runs as an isolated instance for your institution.',
    delivery: 'dedicated',
    plans: [
      plan(
        'starter',
        'Starter',
        1,
        4_900,
        'For a small collection with a few hands.',
        ['Your own address', 'Daily backup'],
        { members: 5, objects: 10_000, storage_gb: 20 },
      ),
      plan(
        'pro',
        'Pro',
        2,
        19_900,
        'For an institution that publishes what it owns.',
        ['Your own domain', 'Hourly backup', 'Support within a day'],
        { members: 25, objects: 250_000, storage_gb: 250 },
        true,
      ),
      plan(
        'museum',
        'Museum',
        3,
        79_900,
        'For several houses under one roof.',
        ['Your own domain', 'Hourly backup kept for a year', 'Support within four hours'],
        { members: null, objects: null, storage_gb: 2_000 },
      ),
    ],
  },
]

const reasons: Partial<Record<TenantState, TenantSummary['state_reason']>> = {
  failed: {
    code: 'image_not_pulled',
    detail: 'The product could not be started: its image cannot be pulled.',
    next: 'What had been made was taken back. We look into it and try again; your payment is kept.',
  },
  suspended: {
    code: 'unpaid',
    detail: 'Suspended since the last invoice is unpaid.',
    next: 'Pay the invoice and it runs again within a minute. Data is kept until 14 December.',
  },
}

const tenant = (
  id: string,
  name: string,
  planKey: string,
  state: TenantState,
  createdAgo: number,
): TenantSummary => ({
  id,
  name,
  host: `${name}.${TENANT_DOMAIN.split(':')[0]}`,
  url: `http://${name}.${TENANT_DOMAIN}`,
  product: 'collection',
  plan: planKey,
  state,
  state_reason: reasons[state],
  created_at: ago(createdAgo),
})

export const tenants: TenantSummary[] = [
  tenant('ten_main', 'museum-of-examples', 'pro', 'active', 63 * DAY),
  tenant('ten_setup', 'natural-history', 'starter', 'provisioning', 20_000),
  tenant(
    'ten_failed',
    'fotoarchiv-landesmuseum-fuer-kunst-und-kulturgeschichte',
    'museum',
    'failed',
    3 * HOUR,
  ),
  tenant('ten_suspended', 'maritime', 'starter', 'suspended', 190 * DAY),
  tenant('ten_textile', 'textile-and-costume', 'starter', 'active', 12 * DAY),
  tenant('ten_toys', 'toys', 'starter', 'active', 8 * DAY),
]

export const subscriptions: Subscription[] = [
  {
    id: 'sub_1',
    product: 'collection',
    plan: 'pro',
    status: 'active',
    price: { amount_minor: 19_900, currency: 'EUR' },
    interval: 'month',
    period_end: ahead(9 * DAY),
    cancel_at_period_end: false,
    tenants: ['ten_main'],
  },
  {
    id: 'sub_2',
    product: 'collection',
    plan: 'starter',
    status: 'past_due',
    price: { amount_minor: 4_900, currency: 'EUR' },
    interval: 'month',
    period_end: ahead(3 * DAY),
    cancel_at_period_end: false,
    tenants: ['ten_suspended'],
  },
  {
    id: 'sub_3',
    product: 'collection',
    plan: 'museum',
    status: 'active',
    price: { amount_minor: 799_000, currency: 'EUR' },
    interval: 'year',
    period_end: ahead(250 * DAY),
    cancel_at_period_end: false,
    tenants: ['ten_failed'],
  },
  {
    id: 'sub_4',
    product: 'collection',
    plan: 'starter',
    status: 'active',
    price: { amount_minor: 4_950, currency: 'EUR' },
    interval: 'month',
    period_end: ahead(20 * DAY),
    cancel_at_period_end: true,
    tenants: ['ten_textile', 'ten_toys'],
  },
]

const houses = [
  'Heimatmuseum Altenau',
  'Kunsthalle Bremerhaven',
  'Musée des beaux-arts de Pont-l’Évêque',
  'Stadtarchiv Osnabrück',
  'Technikmuseum Freudenberg',
  'Museo Etnográfico de Castilla y León',
  'Galerie für zeitgenössische Fotografie und Medienkunst Leipzig',
  'Ship and Harbour Museum',
]

export const fleetOrganizations: OperatorOrganization[] = [
  ...organizations.map(({ id, slug, name }, index) => ({
    id,
    slug,
    name,
    created_at: ago((63 + index) * DAY),
    tenants: index === 0 ? tenants.length : 0,
  })),
  ...Array.from({ length: 120 }, (_, index) => ({
    id: `org_${String(index).padStart(4, '0')}`,
    slug: `house-${index + 1}`,
    name: `${houses[index % houses.length]}${index < houses.length ? '' : ` ${Math.floor(index / houses.length) + 1}`}`,
    created_at: ago((2 + index) * DAY),
    tenants: 1 + (index % 3),
  })),
]

export const fleet = [
  ...tenants.map((entry) => ({ ...entry, organization: pick(0) })),
  ...Array.from({ length: 1_000 }, (_, index) => ({
    ...tenant(
      `ten_${String(index).padStart(4, '0')}`,
      `house-${index + 1}`,
      ['starter', 'starter', 'pro', 'museum'][index % 4] ?? 'starter',
      index === 371 ? 'failed' : index % 97 === 0 ? 'suspended' : index % 211 === 5 ? 'upgrading' : 'active',
      (1 + index) * 7 * HOUR,
    ),
    organization: pick(2 + (index % 120)),
  })),
]

function pick(index: number) {
  const found = fleetOrganizations[index]
  if (!found) throw new Error(`no organization ${index}`)
  return { id: found.id, slug: found.slug, name: found.name }
}

const event = (
  index: number,
  type: string,
  state: StripeEvent['state'],
  object: string,
  error?: string,
): StripeEvent => ({
  id: `evt_1SW${String(index).padStart(4, '0')}kQzR7pLw`,
  type,
  object_id: object,
  state,
  attempts: state === 'failed' ? 12 : state === 'received' ? 0 : 1,
  error: error ? { code: 'price_unknown', detail: error } : undefined,
  received_at: ago((index + 1) * 3 * MINUTE),
})

export const events: StripeEvent[] = [
  event(1, 'checkout.session.completed', 'applied', 'cs_test_a1B2c3D4e5F6'),
  event(
    2,
    'customer.subscription.updated',
    'failed',
    'sub_1SWx8kQzR7pLwT0a',
    'The price price_1Q9 is in no catalog. Add it to the catalog and replay this event.',
  ),
  event(3, 'invoice.paid', 'applied', 'in_1SWx8kQzR7pLwT0a'),
  event(
    4,
    'charge.dispute.funds_withdrawn',
    'ignored',
    'dp_1SWx8kQzR7pLwT0a',
    'Nothing here depends on this type.',
  ),
  event(5, 'invoice.payment_failed', 'applied', 'in_1SWx9kQzR7pLwT0b'),
  event(6, 'payment_intent.succeeded', 'received', 'pi_3SWx9kQzR7pLwT0b'),
  event(7, 'checkout.session.expired', 'received', 'cs_test_z9Y8x7'),
  ...Array.from({ length: 40 }, (_, index) =>
    event(8 + index, 'invoice.paid', 'applied', `in_1SV${String(index).padStart(3, '0')}kQzR7pLw`),
  ),
]
