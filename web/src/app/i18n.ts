import { createI18n } from 'vue-i18n'
import en from '@/locales/en.json'

/** One catalogue per language; English is complete and is what the others fall back to. */
export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en },
  missingWarn: false,
  fallbackWarn: false,
})

/** Numbers and dates are written as this language writes them; words too, once there is a catalogue for it. */
export function setLocale(name: string): void {
  try {
    const [known] = Intl.getCanonicalLocales(name)
    if (known) (i18n.global.locale as unknown as { value: string }).value = known
  } catch {
    // The server knows a language that this browser does not: English stays.
  }
}

/** For the few words needed outside of components (page titles). */
export function translate(key: string, named: Record<string, unknown> = {}): string {
  return i18n.global.t(key, named)
}
