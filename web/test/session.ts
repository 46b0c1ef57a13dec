import type { Session } from '@/client'

/** A session as the server answers it. */
export const session = (more: Partial<Session> = {}): Session => ({
  user: {
    id: 'usr_1',
    email: 'a@b.example',
    name: 'Ada',
    locale: 'en',
    time_zone: 'UTC',
    avatar_url: null,
  },
  csrf_token: 't',
  organizations: [],
  expires_at: '2026-11-22T12:00:00Z',
  second_factor: false,
  proved_until: '2026-11-21T12:10:00Z',
  impersonation: null,
  second_factor_required: null,
  ...more,
})
