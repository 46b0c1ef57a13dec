import type { User } from '@/client'
import { setLocale } from '@/app/i18n'
import { setTimeZone } from '@/design/time'

/** The zone that an account has before anybody chose one: the browser's own is the better guess. */
const UNSET_ZONE = 'UTC'

/** From now on dates, times and numbers are written as this person wants them. */
export function writeFor({ locale, time_zone }: Pick<User, 'locale' | 'time_zone'>): void {
  setLocale(locale)
  setTimeZone(time_zone === UNSET_ZONE ? undefined : time_zone)
}

export function browserTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone
}
