/**
 * A stand-in for the server, for work on the pages alone: the API of openapi.json with made-up data, and the built
 * pages under the content security policy that they are meant for. `npm run mock [-- --port 4010]`.
 */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { HttpProblem, type Answer } from './http.ts'
import { route } from './routes.ts'
import { streamOperation } from './stream.ts'

const { values } = parseArgs({ options: { port: { type: 'string', default: '4010' } } })
const dist = fileURLToPath(new URL('../dist', import.meta.url))

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}

function sendPage(path: string, response: ServerResponse): void {
  const wanted = join(dist, normalize(path))
  const file = existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(dist, 'index.html')
  response.writeHead(200, {
    'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
    'Content-Security-Policy': POLICY,
  })
  createReadStream(file).pipe(response)
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const type = headers?.['Content-Type'] ?? (status >= 400 ? 'application/problem+json' : 'application/json')
  response.writeHead(status, { ...headers, 'Content-Type': type })
  response.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  if (!request.headers['content-type']?.includes('json')) return {}
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  return text ? (JSON.parse(text) as Record<string, unknown>) : {}
}

createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://mock')
  try {
    if (url.pathname.endsWith('/events') && url.pathname.includes('/operations/')) {
      streamOperation(url.pathname, request, response)
    } else if (url.pathname.startsWith('/api/') || url.pathname.startsWith('/__mock__/')) {
      const body = await readJson(request)
      send(
        response,
        await route({
          method: request.method ?? 'GET',
          url,
          body,
          cookie: request.headers.cookie ?? '',
          host: request.headers.host ?? '',
        }),
      )
    } else {
      sendPage(url.pathname, response)
    }
  } catch (error) {
    if (error instanceof HttpProblem) send(response, error.answer)
    else {
      console.error(error)
      send(response, new HttpProblem(500, 'internal', 'The mock failed.').answer)
    }
  }
}).listen(Number(values.port), '127.0.0.1', () => console.log(`mock: http://127.0.0.1:${values.port}`))
