import type { Call, HeaderValue } from './call.ts'

/** The same call in the languages that most programs against an API are tried in first. */
export const LANGUAGES: readonly { name: string; write: (call: Call) => string }[] = [
  { name: 'curl', write: curl },
  { name: 'Python', write: python },
  { name: 'JavaScript', write: javascript },
]

function curl(call: Call): string {
  const flags = [
    // A body makes it a POST by itself.
    ...(call.method === 'GET' || (call.method === 'POST' && call.body && call.body.kind !== 'file')
      ? []
      : [`--request ${call.method}`]),
    ...(call.query.length > 0 ? ['--get'] : []),
    ...(call.shown === 'location' ? ['--include'] : []),
    ...(call.shown === 'lines' ? ['--no-buffer'] : []),
    ...(call.shown === 'file' ? ['--output picture'] : []),
  ]
  const lines = [
    ['curl', ...flags, quoted(call.url)].join(' '),
    ...call.headers.map(([name, value]) => `--header ${inShell(name, value)}`),
    ...call.query.map(([name, value]) => `--data-urlencode ${quoted(`${name}=${value}`)}`),
    ...(call.body ? curlBody(call.body) : []),
  ]
  return lines.join(' \\\n  ')
}

function curlBody(body: NonNullable<Call['body']>): string[] {
  if (body.kind === 'json') return [`--json ${quoted(json(body.value, 2))}`]
  if (body.kind === 'file') return [`--data-binary @${body.name}`]
  return body.fields.map(([name, value]) => `--data-urlencode ${quoted(`${name}=${value}`)}`)
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function inShell(name: string, value: HeaderValue): string {
  if (value === 'fresh') return `"${name}: $(openssl rand -hex 16)"`
  return value.variable === undefined
    ? quoted(`${name}: ${value.text}`)
    : `"${name}: ${value.text}$${value.variable}"`
}

function python(call: Call): string {
  const needs = (wanted: (value: HeaderValue) => boolean) => call.headers.some(([, value]) => wanted(value))
  const modules = [
    ...(needs((value) => value !== 'fresh' && value.variable !== undefined) ? ['import os'] : []),
    ...(needs((value) => value === 'fresh') ? ['import uuid'] : []),
  ]
  const given = [
    text(call.url),
    ...(call.query.length > 0 ? [`params=${inPython(Object.fromEntries(call.query), 1)}`] : []),
    ...(call.headers.length > 0 ? [`headers=${pythonHeaders(call.headers)}`] : []),
    ...(call.body ? [pythonBody(call.body)] : []),
    ...(call.shown === 'location' ? ['allow_redirects=False'] : []),
    ...(call.shown === 'lines' ? ['stream=True'] : []),
    'timeout=30',
  ]
  return [
    ...(modules.length > 0 ? [...modules, ''] : []),
    'import requests',
    '',
    `response = requests.${call.method.toLowerCase()}(`,
    ...given.map((argument) => `    ${argument},`),
    ')',
    'response.raise_for_status()',
    ...PYTHON_SHOWS[call.shown],
  ].join('\n')
}

const PYTHON_SHOWS: Record<Call['shown'], string[]> = {
  json: ['print(response.json())'],
  lines: ['for line in response.iter_lines(decode_unicode=True):', '    print(line)'],
  file: ['with open("picture", "wb") as file:', '    file.write(response.content)'],
  location: ['print(response.status_code, response.headers.get("Location"))'],
  nothing: [],
}

function pythonHeaders(headers: Call['headers']): string {
  const lines = headers.map(([name, value]) => {
    if (value === 'fresh') return `        ${text(name)}: str(uuid.uuid4()),`
    if (value.variable === undefined) return `        ${text(name)}: ${text(value.text)},`
    return value.text === ''
      ? `        ${text(name)}: os.environ[${text(value.variable)}],`
      : `        ${text(name)}: f"${value.text}{os.environ['${value.variable}']}",`
  })
  return ['{', ...lines, '    }'].join('\n')
}

function pythonBody(body: NonNullable<Call['body']>): string {
  if (body.kind === 'json') return `json=${inPython(body.value, 1)}`
  if (body.kind === 'file') return `data=open(${text(body.name)}, "rb")`
  return `data=${inPython(Object.fromEntries(body.fields), 1)}`
}

/** A value as Python writes it, `depth` steps of indentation deep. */
function inPython(value: unknown, depth: number): string {
  const inner = '    '.repeat(depth + 1)
  const end = `\n${'    '.repeat(depth)}`
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (Array.isArray(value)) {
    const items = value.map((item) => `\n${inner}${inPython(item, depth + 1)},`)
    return items.length === 0 ? '[]' : `[${items.join('')}${end}]`
  }
  if (typeof value === 'object') {
    const members = Object.entries(value).map(
      ([name, member]) => `\n${inner}${text(name)}: ${inPython(member, depth + 1)},`,
    )
    return members.length === 0 ? '{}' : `{${members.join('')}${end}}`
  }
  return json(value, 0)
}

function javascript(call: Call): string {
  const address =
    call.query.length > 0
      ? `${text(`${call.url}?`)} + new URLSearchParams(${object(call.query)})`
      : text(call.url)
  const headers: [string, HeaderValue][] = [
    ...call.headers,
    ...(call.body?.kind === 'json'
      ? [['Content-Type', { text: 'application/json' }] as [string, HeaderValue]]
      : []),
  ]
  const options = [
    ...(call.method === 'GET' ? [] : [`  method: ${text(call.method)},`]),
    ...(headers.length === 0 ? [] : ['  headers: {', ...headers.map(javascriptHeader), '  },']),
    ...(call.body ? [`  body: ${javascriptBody(call.body)},`] : []),
    ...(call.shown === 'location' ? ['  redirect: "manual",'] : []),
  ]
  const files = [
    ...(call.body?.kind === 'file' ? ['readFile'] : []),
    ...(call.shown === 'file' ? ['writeFile'] : []),
  ]
  return [
    ...(files.length === 0 ? [] : [`import { ${files.join(', ')} } from "node:fs/promises"`, '']),
    options.length === 0
      ? `const response = await fetch(${address})`
      : [`const response = await fetch(${address}, {`, ...options, '})'].join('\n'),
    call.shown === 'location'
      ? 'if (response.status >= 400) throw new Error(await response.text())'
      : 'if (!response.ok) throw new Error(await response.text())',
    ...JAVASCRIPT_SHOWS[call.shown],
  ].join('\n')
}

const JAVASCRIPT_SHOWS: Record<Call['shown'], string[]> = {
  json: ['console.log(await response.json())'],
  lines: [
    'for await (const text of response.body.pipeThrough(new TextDecoderStream())) {',
    '  process.stdout.write(text)',
    '}',
  ],
  file: ['await writeFile("picture", Buffer.from(await response.arrayBuffer()))'],
  location: ['console.log(response.status, response.headers.get("Location"))'],
  nothing: [],
}

function javascriptHeader([name, value]: [string, HeaderValue]): string {
  if (value === 'fresh') return `    ${text(name)}: crypto.randomUUID(),`
  if (value.variable === undefined) return `    ${text(name)}: ${text(value.text)},`
  return value.text === ''
    ? `    ${text(name)}: process.env.${value.variable},`
    : `    ${text(name)}: \`${value.text}\${process.env.${value.variable}}\`,`
}

function javascriptBody(body: NonNullable<Call['body']>): string {
  if (body.kind === 'json') return `JSON.stringify(${json(body.value, 2).replaceAll('\n', '\n  ')})`
  if (body.kind === 'file') return `await readFile(${text(body.name)})`
  return `new URLSearchParams(${object(body.fields).replaceAll('\n', '\n  ')})`
}

function object(fields: [string, string][]): string {
  return json(Object.fromEntries(fields), 2)
}

function json(value: unknown, indentation: number): string {
  return JSON.stringify(value, null, indentation)
}

/** A string in double quotes, which Python and JavaScript read alike. */
function text(value: string): string {
  return JSON.stringify(value)
}
