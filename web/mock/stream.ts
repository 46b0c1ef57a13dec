import type { IncomingMessage, ServerResponse } from 'node:http'
import { findOperation } from './routes.ts'

const EVERY_MS = 400

/** Snapshots of an operation as server-sent events, until it has ended. */
export function streamOperation(path: string, request: IncomingMessage, response: ServerResponse): void {
  const id = path.split('/').at(-2) ?? ''
  if (!findOperation(id)) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  let sequence = Number(request.headers['last-event-id'] ?? 0)
  const push = () => {
    const operation = findOperation(id)
    if (!operation) return
    sequence += 1
    response.write(`id: ${sequence}\nevent: operation\ndata: ${JSON.stringify(operation)}\n\n`)
    if (operation.ended_at) {
      response.end('event: end\ndata: {}\n\n')
      clearInterval(timer)
    }
  }
  const timer = setInterval(push, EVERY_MS)
  push()
  request.on('close', () => clearInterval(timer))
}
