/** Where the running parts are; `tenantry-demo` puts them into the environment. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

function need(name: string): string {
  const value = process.env[name]
  if (!value)
    throw new Error(`${name} is missing. Run the journeys by dev/test/journey, which starts every part.`)
  return value.replace(/\/$/, '')
}

export const tenantry = need('TENANTRY_URL')
export const mailpit = need('MAILPIT_URL')
export const operator = {
  email: need('OPERATOR_EMAIL'),
  password: need('OPERATOR_PASSWORD'),
  /** The key of the operator's authenticator; absent while none is set up. */
  secret: process.env['OPERATOR_TOTP_SECRET'],
}
const kubeconfig = need('CLUSTER_KUBECONFIG')

const PATIENCE_MS = 30_000
const PAUSE_MS = 200

/** Asks until there is an answer. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const deadline = Date.now() + patienceMs
  while (Date.now() < deadline) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  throw new Error(`${what}: nothing after ${patienceMs / 1_000} s`)
}

async function read(path: string): Promise<unknown> {
  const response = await fetch(mailpit + path)
  if (!response.ok) throw new Error(`mailpit answers ${response.status} to ${path}`)
  return response.json()
}

/** The link to this page in the newest mail to this address that has one; `before` is a link that was there already. */
export function linkTo(address: string, page: string, before?: string): Promise<string> {
  return until(`a mail to ${address}`, async () => {
    const found = (await read(`/api/v1/search?query=${encodeURIComponent(`to:${address}`)}`)) as {
      messages: { ID: string }[]
    }
    for (const { ID } of found.messages) {
      const { Text } = (await read(`/api/v1/message/${ID}`)) as { Text: string }
      const link = Text.match(/https?:\/\/[^\s)>\]]+/g)?.find((url) => new URL(url).pathname === page)
      if (link === before) return undefined
      if (link) return link
    }
    return undefined
  })
}

/** What a script of the development tools prints. */
function tool(script: string, ...args: string[]): string {
  const path = fileURLToPath(new URL(`../../dev/tools/${script}`, import.meta.url))
  return execFileSync(path, args, { encoding: 'utf8' }).trim()
}

/** The command line of the running installation; a password goes over standard input. */
export function commandLine(args: string[], input = ''): string {
  return execFileSync(need('TENANTRY_PROGRAM'), args, { encoding: 'utf8', input })
}

/** Does in the ledger what no page and no command does yet. */
export function arrange(statement: string): void {
  const { hostname, port, username, password, pathname } = new URL(need('DATABASE_SYSTEM_URL'))
  execFileSync(join(tool('postgres'), 'psql'), ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-c', statement], {
    env: {
      ...process.env,
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: decodeURIComponent(password),
      PGDATABASE: pathname.slice(1),
    },
  })
}

let kubectlPath: string | undefined

export function kubectl(...args: string[]): string {
  kubectlPath ??= tool('install', 'kubectl')
  return execFileSync(kubectlPath, ['--kubeconfig', kubeconfig, ...args], { encoding: 'utf8' })
}

/** A tenant's namespace carries the tenant's own id. */
export function namespaceOf(tenant: string): string {
  return `t-${tenant.split('_').at(-1)}`
}
