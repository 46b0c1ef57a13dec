import { alternatives, members, nameOf, resolved, type Document, type Schema } from './document.ts'
import { escape, words } from './html.ts'

/** The type of a value in words, with a link where it has a page of its own. */
export function typeWords(document: Document, schema: Schema): string {
  const name = nameOf(schema)
  if (name !== undefined) {
    const target = resolved(document, schema)
    const values = target.enum ? `: ${listed(target.enum)}` : ''
    return `<span class="type"><a href="#schema-${escape(name)}">${escape(name)}</a>${values}</span>`
  }
  return `<span class="type">${plain(document, schema)}</span>`
}

function plain(document: Document, schema: Schema): string {
  const types = [schema.type ?? []].flat()
  const nullable = types.includes('null') || [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].some(isNull)
  const suffix = nullable ? ' or null' : ''
  const choices = alternatives(schema)
  if (choices.length > 0) return choices.map((choice) => typeWords(document, choice)).join(' or ') + suffix
  if (schema.enum) return listed(schema.enum) + suffix
  const type = types.find((candidate) => candidate !== 'null')
  if (type === 'array')
    return `list of ${schema.items ? typeWords(document, schema.items) : 'anything'}${suffix}`
  const limits = limitsOf(schema)
  const format = schema.format && !/^u?int|^double/.test(schema.format) ? ` (${escape(schema.format)})` : ''
  return `${escape(type ?? 'object')}${format}${suffix}${limits}`
}

function isNull(schema: Schema): boolean {
  return schema.type === 'null'
}

function listed(values: unknown[]): string {
  return values.map((value) => `<code>${escape(String(value))}</code>`).join(' | ')
}

function limitsOf(schema: Schema): string {
  const range = (least: number | undefined, most: number | undefined, unit: string) => {
    if (least === undefined && most === undefined) return ''
    if (most === undefined) return `, at least ${least}${unit}`
    return least === undefined ? `, at most ${most}${unit}` : `, ${least} to ${most}${unit}`
  }
  return (
    range(schema.minLength, schema.maxLength, ' characters') +
    range(schema.minimum, schema.maximum, '') +
    range(schema.minItems, schema.maxItems, ' items')
  )
}

/** One row for each member of an object; nothing for what has no members. */
export function membersTable(document: Document, schema: Schema): string {
  const whole = resolved(document, schema)
  const listedIn = whole.type === 'array' && whole.items ? whole.items : whole
  const choices = alternatives(whole)
  const unions = choices.map((choice) => {
    const table = membersTable(document, choice)
    return choices.length > 1 && table !== '' && nameOf(choice) !== undefined
      ? `<p class="kind">${typeWords(document, choice)}</p>${table}`
      : table
  })
  const rows = members(document, listedIn).map(
    (member) =>
      `<tr><th scope="row"><code>${escape(member.name)}</code>${member.required ? '' : ' <small>optional</small>'}</th><td>${typeWords(document, member.schema)}${words(member.schema.description)}</td></tr>`,
  )
  const own =
    rows.length === 0 ? '' : `<div class="table"><table><tbody>${rows.join('')}</tbody></table></div>`
  return own + unions.join('')
}
