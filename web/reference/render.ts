import { exampleCall, INSTALLATION } from './call.ts'
import {
  operationsOf,
  resolvedAnswer,
  type Answer,
  type Document,
  type Media,
  type Placed,
} from './document.ts'
import { exampleOf } from './example.ts'
import { escape, inline, words } from './html.ts'
import { membersTable, typeWords } from './schema.ts'
import { LANGUAGES } from './snippets.ts'

const DOORS: Record<string, string> = {
  session: 'a person’s session',
  operator: 'an operator’s session',
  bearer: 'an access token',
  client: 'a product’s client id and secret',
  product: 'the access token of a sign-in to a product',
}

/** Everything between <body> and </body>: the whole reference, readable without a script. */
export function render(document: Document): string {
  const tags = (document.tags ?? []).filter((tag) => operationsOf(document, tag.name).length > 0)
  const menu = tags.map((tag) => renderMenu(document, tag.name)).join('')
  return `
<a class="skip" href="#reference">Skip to the reference</a>
<header class="bar"><a href="/">Tenantry</a><span>API reference</span><a class="raw" href="/api/v1/openapi.json">openapi.json</a></header>
<div class="page">
<nav class="menu" aria-label="Operations"><details open><summary>Contents</summary>${menu}
<h2><a href="#schemas">Schemas</a></h2></details></nav>
<main id="reference" tabindex="-1">
<h1>API reference</h1>
${words(document.info.description)}
${introduction(document)}
${tags.map((tag) => renderTag(document, tag.name, tag.description)).join('')}
${renderSchemas(document)}
</main></div>`
}

function introduction(document: Document): string {
  return `<p>Version ${escape(document.info.version)}. Bodies are JSON, UTF-8; times are RFC 3339 in UTC; money is a whole number of the
currency’s smallest unit. Identifiers carry a prefix that says what they name.</p>
<p>Failures are <code>application/problem+json</code> (RFC 9457) with a stable <code>code</code> and a <code>detail</code> that says what to do.
Calls of a browser’s session that change something carry <code>X-CSRF-Token</code>, and may carry <code>Idempotency-Key</code> to be sent
again without harm. Lists answer <code>next_cursor</code>: pass it as <code>cursor</code> for the next page.</p>
<p>Example calls go to <code>${INSTALLATION}</code>: write the address of your installation there. Tokens and
sessions come from the environment. The examples in Python use the package <code>requests</code>, those in JavaScript run as
modules of Node.</p>`
}

function renderMenu(document: Document, tag: string): string {
  const items = operationsOf(document, tag).map(
    (operation) =>
      `<li><a href="#${escape(operation.operationId)}"><span class="verb ${operation.method}">${operation.method}</span>${inline(title(operation))}</a></li>`,
  )
  return `<h2><a href="#tag-${escape(tag)}">${escape(heading(tag))}</a></h2><ul>${items.join('')}</ul>`
}

function heading(tag: string): string {
  return tag.charAt(0).toUpperCase() + tag.slice(1).replaceAll('-', ' ')
}

function title(operation: Placed): string {
  return (operation.summary ?? operation.operationId).replace(/\.$/, '')
}

function renderTag(document: Document, tag: string, description: string | undefined): string {
  const operations = operationsOf(document, tag).map((operation) => renderOperation(document, operation))
  return `<section aria-labelledby="tag-${escape(tag)}"><h2 id="tag-${escape(tag)}">${escape(heading(tag))}</h2>${words(description)}${operations.join('')}</section>`
}

function renderOperation(document: Document, operation: Placed): string {
  const id = escape(operation.operationId)
  return `<article aria-labelledby="${id}">
<h3 id="${id}">${inline(title(operation))} <a class="anchor" href="#${id}" aria-label="Link to this operation">#</a></h3>
<p class="line"><span class="verb ${operation.method}">${operation.method}</span> <code>${path(operation.path)}</code></p>
${words(operation.description)}
<p class="door">${door(operation)}</p>
${parameters(document, operation)}
${body(document, operation)}
${calls(document, operation)}
${answers(document, operation)}
</article>`
}

function path(text: string): string {
  return escape(text)
    .replaceAll('/', '/<wbr>')
    .replace(/\{[^}]+\}/g, '<em>$&</em>')
}

function door(operation: Placed): string {
  const schemes = operation.security ?? []
  const names = schemes.flatMap((scheme) => Object.keys(scheme).filter((name) => name !== 'csrf'))
  if (names.length === 0) return 'Open to anybody.'
  const ways = [...new Set(names)].map((name) => escape(DOORS[name] ?? name)).join(' or ')
  // A way in that asks for nothing.
  return schemes.some((scheme) => Object.keys(scheme).length === 0)
    ? `Takes ${ways}, if there is one.`
    : `Takes ${ways}.`
}

function parameters(document: Document, operation: Placed): string {
  const rows = (operation.parameters ?? []).map(
    (parameter) =>
      `<tr><th scope="row"><code>${escape(parameter.name)}</code> <small>${parameter.in}${
        parameter.required ? ', required' : ''
      }</small></th><td>${typeWords(document, parameter.schema ?? {})}${words(parameter.description)}</td></tr>`,
  )
  if (rows.length === 0) return ''
  return `<h4>Parameters</h4><div class="table"><table><tbody>${rows.join('')}</tbody></table></div>`
}

function body(document: Document, operation: Placed): string {
  const content = operation.requestBody?.content
  if (!content) return ''
  return `<h4>Body</h4>${Object.entries(content)
    .map(([type, media]) =>
      renderMedia(document, type, media, `Example request body of ${operation.operationId}`),
    )
    .join('')}`
}

function renderMedia(document: Document, type: string, media: Media, label: string): string {
  const schema = media.schema ?? {}
  const kind = `<p class="kind"><code>${escape(type)}</code> ${typeWords(document, schema)}</p>`
  const isForm = type === FORM
  if (!type.includes('json') && !isForm) return kind
  const example = media.example ?? exampleOf(document, schema)
  const text = isForm ? asForm(example) : JSON.stringify(example, null, 2)
  return `${kind}${membersTable(document, schema)}${code(text, label)}`
}

const FORM = 'application/x-www-form-urlencoded'

/** One field a line; what is sent has them in one. */
function asForm(example: unknown): string {
  const fields = Object.entries(example as Record<string, unknown>).map(([name, value]) => [
    name,
    String(value),
  ])
  return new URLSearchParams(fields as [string, string][]).toString().replaceAll('&', '\n&')
}

/** Wide examples scroll by themselves, so they must be reachable by keyboard. */
function code(text: string, label: string): string {
  return `<pre tabindex="0" role="region" aria-label="${escape(label)}"><code>${escape(text)}</code></pre>`
}

/** The same call in several languages, one of them open at a time. */
function calls(document: Document, operation: Placed): string {
  const call = exampleCall(document, operation)
  const id = escape(operation.operationId)
  const languages = LANGUAGES.map(
    ({ name, write }, index) =>
      `<details class="call" name="call-${id}"${index === 0 ? ' open' : ''}><summary>${name}</summary>${code(write(call), `Example call of ${operation.operationId} in ${name}`)}</details>`,
  )
  return `<h4>Example call</h4>${languages.join('')}`
}

function answers(document: Document, operation: Placed): string {
  const rows = Object.entries(operation.responses).map(([status, declared]) =>
    renderAnswer(document, operation, status, resolvedAnswer(document, declared)),
  )
  return `<h4>Answers</h4>${rows.join('')}`
}

function renderAnswer(document: Document, operation: Placed, status: string, answer: Answer): string {
  const head = `<b class="status s${status.charAt(0)}">${status === 'default' ? 'else' : status}</b> <span>${inline(answer.description ?? '')}</span>`
  const media = Object.entries(answer.content ?? {}).filter(([type]) => type !== 'application/problem+json')
  if (media.length === 0) return `<p class="answer">${head}</p>`
  const inside = media
    .map(([type, content]) =>
      renderMedia(document, type, content, `Example answer of ${operation.operationId}`),
    )
    .join('')
  return `<details class="answer"><summary>${head}</summary>${inside}</details>`
}

function renderSchemas(document: Document): string {
  const schemas = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      `<details class="schema" id="schema-${escape(name)}"><summary><code>${escape(name)}</code> <span>${inline(schema.description ?? '')}</span></summary>${membersTable(document, schema) || `<p>${typeWords(document, schema)}</p>`}</details>`,
  )
  return `<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>${schemas.join('')}</section>`
}
