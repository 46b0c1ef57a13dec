import { alternatives, members, nameOf, resolved, type Document, type Schema } from './document.ts'

const FORMATS: Record<string, unknown> = {
  'date-time': '2026-05-04T09:30:00Z',
  email: 'ada@example.org',
  password: 'violet tractor hums at noon',
  uri: 'https://tenantry.example.org/',
}

/** What a value of this schema may look like: its own example, else the simplest value that has its shape. */
export function exampleOf(document: Document, schema: Schema, within: string[] = []): unknown {
  const name = nameOf(schema)
  if (name !== undefined && within.includes(name)) return null
  const seen = name === undefined ? within : [...within, name]
  const whole = {
    ...resolved(document, schema),
    ...(schema.example === undefined ? {} : { example: schema.example }),
  }
  if (whole.example !== undefined) return whole.example
  if (whole.examples?.[0] !== undefined) return whole.examples[0]
  if (whole.const !== undefined) return whole.const
  if (whole.enum?.[0] !== undefined) return whole.enum[0]
  if (whole.default !== undefined) return whole.default
  const first = alternatives(whole)[0]
  const all = members(document, whole)
  if (first && all.length === 0) return exampleOf(document, first, seen)
  if (all.length > 0) {
    const own = Object.fromEntries(
      all.map((member) => [member.name, exampleOf(document, member.schema, seen)]),
    )
    return first ? { ...own, ...(exampleOf(document, first, seen) as object) } : own
  }
  const type = [whole.type ?? 'object'].flat().find((candidate) => candidate !== 'null')
  if (type === 'array') return whole.items ? [exampleOf(document, whole.items, seen)] : []
  if (type === 'string') return FORMATS[whole.format ?? ''] ?? (Array.isArray(whole.type) ? null : '…')
  if (type === 'integer' || type === 'number') return whole.minimum ?? 1
  if (type === 'boolean') return false
  if (whole.additionalProperties && typeof whole.additionalProperties === 'object')
    return { key: exampleOf(document, whole.additionalProperties, seen) }
  return {}
}
