import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import lucide from '@iconify-json/lucide/icons.json'

// As it is written, not as it is compiled.
const en = JSON.parse(readFileSync('src/locales/en.json', 'utf8')) as Record<string, unknown>

const sources = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(vue|ts)$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((file) => !file.startsWith('src/client'))
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }))

function keysOf(node: object, prefix = ''): string[] {
  return Object.entries(node).flatMap(([key, value]) =>
    typeof value === 'string' ? [prefix + key] : keysOf(value as object, `${prefix}${key}.`),
  )
}
const catalogue = keysOf(en)

// A key is written as a literal, or begins with one that ends in a value (`state.${kind}.${state}`).
const literal = sources.flatMap(({ file, text }) =>
  [...text.matchAll(/['"]([a-z][A-Za-z]*(?:\.[A-Za-z_0-9]+)+)['"]/g)].map((match) => ({
    file,
    key: match[1] ?? '',
  })),
)
const prefixes = sources.flatMap(({ text }) =>
  [...text.matchAll(/`([a-z][A-Za-z]*\.(?:[A-Za-z_]+\.)*)\$\{/g)].map((match) => match[1] ?? ''),
)
const calls = sources.flatMap(({ file, text }) =>
  [...text.matchAll(/\bt\(\s*'([^']+)'/g)].map((match) => ({ file, key: match[1] ?? '' })),
)

describe('the catalogue of words', () => {
  it('has every key that is asked for', () => {
    expect(calls.filter(({ key }) => !catalogue.includes(key))).toEqual([])
  })

  it('has nothing that nobody asks for', () => {
    const asked = new Set([...literal, ...calls].map(({ key }) => key))
    const unused = catalogue.filter(
      (key) => !asked.has(key) && !prefixes.some((prefix) => key.startsWith(prefix)),
    )
    expect(unused).toEqual([])
  })

  it('blames nobody and does not shout', () => {
    const words = catalogue.map((key) =>
      key.split('.').reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], en),
    )
    expect(words.filter((word) => /!|\boops\b|\bplease\b.*\btry again\b/i.test(String(word)))).toEqual([])
  })
})

describe('icons', () => {
  it('exist in the bundled collection', () => {
    const used = sources.flatMap(({ text }) =>
      [...text.matchAll(/i-lucide-([a-z0-9-]+)/g)].map((match) => match[1] ?? ''),
    )
    const known = { ...lucide.icons, ...lucide.aliases } as Record<string, unknown>
    expect([...new Set(used)].filter((name) => !(name in known))).toEqual([])
  })
})
