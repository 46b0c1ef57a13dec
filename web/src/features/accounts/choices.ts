interface Option {
  value: string
  label: string
}

/** Ways of writing dates and numbers that most people look for, each named in its own words. */
const LOCALES = [
  'en',
  'en-GB',
  'en-US',
  'cs',
  'da',
  'de',
  'de-AT',
  'de-CH',
  'es',
  'fi',
  'fr',
  'fr-CH',
  'it',
  'nb',
  'nl',
  'pl',
  'pt',
  'pt-BR',
  'sv',
]

function nameOf(locale: string): string {
  try {
    const name = new Intl.DisplayNames([locale], { type: 'language' }).of(locale) ?? locale
    return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1)
  } catch {
    return locale
  }
}

/** What the account has stays choosable, whoever put it there. */
function including(values: readonly string[], present: string): string[] {
  return values.includes(present) ? [...values] : [present, ...values]
}

export function localeOptions(present: string): Option[] {
  return including(LOCALES, present).map((value) => ({ value, label: nameOf(value) }))
}

export function zoneOptions(present: string): Option[] {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')]
  return including(zones, present).map((value) => ({ value, label: value.replaceAll('_', ' ') }))
}
