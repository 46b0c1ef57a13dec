import { onScopeDispose, readonly, ref, type Ref } from 'vue'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const units: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * DAY],
  ['month', 30 * DAY],
  ['week', 7 * DAY],
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
]

const zone = ref<string>()

/** Times are told in this zone from now on; one that the browser does not know leaves its own. */
export function setTimeZone(name: string | undefined): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    zone.value = name
  } catch {
    zone.value = undefined
  }
}

/** "3 minutes ago", "in 2 days"; within half a minute it is "now". */
export function relativeTime(at: Date, now: Date, locale = 'en'): string {
  const secs = Math.round((at.getTime() - now.getTime()) / 1000)
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  if (Math.abs(secs) < 30) return format.format(0, 'second')
  for (const [unit, length] of units) {
    if (Math.abs(secs) >= length) return format.format(Math.round(secs / length), unit)
  }
  return format.format(secs, 'second')
}

export function absoluteTime(at: Date, locale = 'en'): string {
  return new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'medium',
    timeZone: zone.value,
  }).format(at)
}

export function calendarDate(at: Date, locale = 'en'): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: zone.value }).format(at)
}

/** "14:32" */
export function clockTime(at: Date, locale = 'en'): string {
  return new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone: zone.value }).format(at)
}

/** Time taken, as short as it may be without lying: "240 ms", "3.2 s", "1 min 05 s", "2 h 03 min". */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  const secs = Math.round(ms / 1_000)
  if (secs < MINUTE) return `${secs} s`
  if (secs < HOUR) return `${Math.floor(secs / MINUTE)} min ${String(secs % MINUTE).padStart(2, '0')} s`
  return `${Math.floor(secs / HOUR)} h ${String(Math.floor((secs % HOUR) / MINUTE)).padStart(2, '0')} min`
}

/** A clock that ticks only while somebody looks at it. */
export function useNow(everyMs: number): Readonly<Ref<Date>> {
  const now = ref(new Date())
  const timer = window.setInterval(() => (now.value = new Date()), everyMs)
  onScopeDispose(() => window.clearInterval(timer))
  return readonly(now) as Readonly<Ref<Date>>
}
