/** The parts of an OpenAPI 3.1 document that the reference shows, and how references in it are followed. */

export interface Schema {
  $ref?: string
  type?: string | string[]
  description?: string
  format?: string
  enum?: unknown[]
  const?: unknown
  example?: unknown
  examples?: unknown[]
  default?: unknown
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: Schema | boolean
  allOf?: Schema[]
  oneOf?: Schema[]
  anyOf?: Schema[]
}

export interface Media {
  schema?: Schema
  example?: unknown
}

export interface Answer {
  $ref?: string
  description?: string
  content?: Record<string, Media>
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header' | 'cookie'
  required?: boolean
  description?: string
  schema?: Schema
  example?: unknown
}

export interface Operation {
  operationId: string
  summary?: string
  description?: string
  tags?: string[]
  security?: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, Answer>
}

/** A way to show who calls. */
export interface SecurityScheme {
  type: string
  scheme?: string
  in?: string
  name?: string
}

export interface Document {
  info: { title: string; version: string; description?: string }
  tags?: { name: string; description?: string }[]
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, Schema>
    responses?: Record<string, Answer>
    securitySchemes?: Record<string, SecurityScheme>
  }
}

/** An operation and where it stands. */
export interface Placed extends Operation {
  method: string
  path: string
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete']

/** All operations of a tag, in the order of their paths. */
export function operationsOf(document: Document, tag: string): Placed[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      return operation?.tags?.includes(tag) ? [{ ...operation, method, path }] : []
    }),
  )
}

/** The name of the schema that is referred to, if it is one. */
export function nameOf(schema: Schema): string | undefined {
  return schema.$ref?.replace('#/components/schemas/', '')
}

/** The schema itself, wherever it stands. */
export function resolved(document: Document, schema: Schema): Schema {
  const name = nameOf(schema)
  return name === undefined ? schema : (document.components.schemas[name] ?? {})
}

/** The answer itself, wherever it stands. */
export function resolvedAnswer(document: Document, answer: Answer): Answer {
  const name = answer.$ref?.replace('#/components/responses/', '')
  return name === undefined ? answer : (document.components.responses?.[name] ?? {})
}

/** A member of an object, with those that it takes over from others. */
export interface Member {
  name: string
  schema: Schema
  required: boolean
}

export function members(document: Document, schema: Schema): Member[] {
  const whole = resolved(document, schema)
  const own = Object.entries(whole.properties ?? {}).map(([name, member]) => ({
    name,
    schema: member,
    required: whole.required?.includes(name) ?? false,
  }))
  return [...(whole.allOf ?? []).flatMap((part) => members(document, part)), ...own]
}

/** The alternatives of a union, without `null`. */
export function alternatives(schema: Schema): Schema[] {
  return (schema.oneOf ?? schema.anyOf ?? []).filter((alternative) => alternative.type !== 'null')
}
