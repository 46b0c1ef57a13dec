import { resolvedAnswer, type Document, type Media, type Parameter, type Placed } from './document.ts'
import { exampleOf } from './example.ts'

/** Where the example calls go; whoever copies one writes the address of an installation there. */
export const INSTALLATION = 'https://tenantry.example.com'

/** A text, with something behind it that the reader has and the page must not show. */
export interface Value {
  text: string
  variable?: string
}

/** What a header holds; `fresh` is made anew for each call. */
export type HeaderValue = Value | 'fresh'

export type Body =
  | { kind: 'json'; value: unknown }
  | { kind: 'form'; fields: [string, string][] }
  | { kind: 'file'; name: string }

/** An example call of an operation, in no language yet. */
export interface Call {
  method: string
  url: string
  query: [string, string][]
  headers: [string, HeaderValue][]
  body?: Body
  /** What of the answer is worth showing. */
  shown: 'json' | 'lines' | 'file' | 'location' | 'nothing'
}

const FORM = 'application/x-www-form-urlencoded'

const VARIABLES: Record<string, string> = {
  bearer: 'TENANTRY_TOKEN',
  product: 'ACCESS_TOKEN',
  operator: 'OPERATOR_SESSION',
  csrf: 'CSRF_TOKEN',
}

export function exampleCall(document: Document, operation: Placed): Call {
  const parameters = operation.parameters ?? []
  const valueOf = (parameter: Parameter) =>
    String(parameter.example ?? exampleOf(document, parameter.schema ?? {}))
  const path = parameters
    .filter((parameter) => parameter.in === 'path')
    .reduce(
      (text, parameter) => text.replace(`{${parameter.name}}`, encodeURIComponent(valueOf(parameter))),
      operation.path,
    )
  const query = parameters
    .filter(({ in: place, required, example }) => place === 'query' && (required || example !== undefined))
    .map((parameter): [string, string] => [parameter.name, valueOf(parameter)])
  const repeatable = parameters.some(
    ({ in: place, name }) => place === 'header' && name === 'Idempotency-Key',
  )
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
  const body = type === undefined || media === undefined ? undefined : bodyOf(document, type, media)
  // A token goes into the form or into the header, never into both (RFC 6750, section 2).
  const carriesToken = body?.kind === 'form' && body.fields.some(([name]) => name === 'access_token')
  return {
    method: operation.method.toUpperCase(),
    url: INSTALLATION + path,
    query,
    headers: [
      ...(carriesToken ? [] : credentials(document, operation)),
      ...(repeatable ? [['Idempotency-Key', 'fresh'] as [string, HeaderValue]] : []),
      ...(body?.kind === 'file' && type ? [['Content-Type', { text: type }] as [string, HeaderValue]] : []),
    ],
    ...(body ? { body } : {}),
    shown: shownOf(document, operation),
  }
}

function bodyOf(document: Document, type: string, media: Media): Body {
  const value = media.example ?? exampleOf(document, media.schema ?? {})
  if (type === FORM) {
    const fields = Object.entries(value as Record<string, unknown>)
    return { kind: 'form', fields: fields.map(([name, field]) => [name, String(field)]) }
  }
  if (type.includes('json')) return { kind: 'json', value }
  return { kind: 'file', name: `picture.${type.split('/').at(-1) ?? ''}` }
}

/** Programs show a token wherever one is taken. */
function credentials(document: Document, operation: Placed): [string, HeaderValue][] {
  const ways = operation.security ?? []
  const way = ways.find((candidate) => 'bearer' in candidate) ?? ways[0] ?? {}
  return Object.keys(way).flatMap((name): [string, HeaderValue][] => {
    const scheme = document.components.securitySchemes?.[name]
    const variable = VARIABLES[name] ?? name.toUpperCase()
    if (scheme?.type === 'http')
      return [['Authorization', { text: scheme.scheme === 'basic' ? 'Basic ' : 'Bearer ', variable }]]
    if (scheme?.in === 'cookie') return [['Cookie', { text: `${scheme.name ?? name}=`, variable }]]
    const header = headerName(scheme?.name ?? name)
    const token: [string, HeaderValue] = [header, { text: '', variable }]
    // What carries a cookie and changes something has to come from the installation's own address.
    return name === 'csrf' ? [['Origin', { text: INSTALLATION }], token] : [token]
  })
}

function headerName(name: string): string {
  return name === 'x-csrf-token' ? 'X-CSRF-Token' : name
}

function shownOf(document: Document, operation: Placed): Call['shown'] {
  if ('303' in operation.responses) return 'location'
  const types = Object.entries(operation.responses)
    .filter(([status]) => status.startsWith('2'))
    .flatMap(([, declared]) => Object.keys(resolvedAnswer(document, declared).content ?? {}))
  const [type] = types
  if (type === undefined) return 'nothing'
  if (type.includes('json')) return 'json'
  return type === 'text/event-stream' ? 'lines' : 'file'
}
