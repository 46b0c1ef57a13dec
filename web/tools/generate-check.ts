/** Fails when src/client is not what `npm run generate` would make of openapi.json today. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createClient } from '@hey-api/openapi-ts'
import config from '../openapi-ts.config.ts'

function files(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
}

const fresh = mkdtempSync(join(tmpdir(), 'tenantry-client-'))
try {
  const settings = await config
  if (Array.isArray(settings)) throw new Error('one client is expected')
  await createClient({ ...settings, output: fresh, logs: { level: 'silent' } })
  execFileSync('node_modules/.bin/prettier', [
    '--config',
    '.prettierrc.json',
    '--ignore-path',
    '/dev/null',
    '--log-level',
    'warn',
    '--write',
    fresh,
  ])
  const stale = [...new Set([...files(fresh), ...files('src/client')])].filter((file) => {
    try {
      return readFileSync(join(fresh, file), 'utf8') !== readFileSync(join('src/client', file), 'utf8')
    } catch {
      return true
    }
  })
  if (stale.length > 0) {
    console.error(`src/client is stale (${stale.join(', ')}). Run: npm run generate`)
    process.exitCode = 1
  }
} finally {
  rmSync(fresh, { recursive: true, force: true })
}
