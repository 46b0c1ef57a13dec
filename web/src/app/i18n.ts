import { createI18n } from 'vue-i18n'
import en from '@/locales/en.json'

/** One catalogue per language; English is complete and is what the others fall back to. */
export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en },
  missingWarn: import.meta.env.DEV,
  fallbackWarn: false,
})

/** For the few words needed outside of components (page titles). */
export function translate(key: string, named: Record<string, unknown> = {}): string {
  return i18n.global.t(key, named)
}
