import { baseCompile } from '@intlify/message-compiler'
import type { Plugin } from 'vite'

const CATALOGUE = /\/src\/locales\/[\w-]+\.json$/
/** What makes a message more than its own words: a value, a choice by number, a link to another message. */
const MORE_THAN_WORDS = /[{}|@]/

// `minify` is read by the compiler and missing from its types.
const OPTIONS = {
  jit: true,
  location: false,
  minify: true,
  onError: (error: Error) => {
    throw error
  },
}

/** `all`: plain words too. They need none, but outside of production the library warns of each. */
function compile(value: unknown, all: boolean): unknown {
  if (typeof value === 'string')
    return all || MORE_THAN_WORDS.test(value) ? baseCompile(value, OPTIONS).ast : value
  const entries = Object.entries(value as Record<string, unknown>)
  return Object.fromEntries(entries.map(([key, message]) => [key, compile(message, all)]))
}

/** Compiles the catalogues of words while the pages are built, so that no browser has to carry the compiler. */
export function messages(): Plugin {
  let all = false
  return {
    name: 'tenantry-messages',
    enforce: 'pre',
    configResolved: ({ isProduction }) => {
      all = !isProduction
    },
    transform(code, id) {
      if (!CATALOGUE.test(id)) return undefined
      return { code: JSON.stringify(compile(JSON.parse(code), all)), map: null }
    },
  }
}
