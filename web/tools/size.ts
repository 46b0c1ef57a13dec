/**
 * Fails when a first visit to the log-in page takes more than 200 kB of compressed script: what index.html names,
 * and what the page's own chunk imports.
 */
import { existsSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const BUDGET_BYTES = 200_000
const PAGE = 'src/features/accounts/views/LoginView.vue'
const MANIFEST = 'dist/.vite/manifest.json'

interface Chunk {
  file: string
  imports?: string[]
}

if (!existsSync(MANIFEST)) {
  console.error('There is no build to measure. Run: npm run bundle')
  process.exit(1)
}
const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8')) as Record<string, Chunk>
const needed = new Set<string>()

function need(name: string): void {
  const chunk = manifest[name]
  if (!chunk) throw new Error(`${name} is not in ${MANIFEST}`)
  if (needed.has(chunk.file)) return
  needed.add(chunk.file)
  chunk.imports?.forEach(need)
}
need('index.html')
need(PAGE)

const sizes = [...needed].map((file) => ({ file, bytes: gzipSync(readFileSync(`dist/${file}`)).length }))
const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
const kilobytes = (bytes: number) => `${(bytes / 1_000).toFixed(1)} kB`
console.log(
  `log-in page: ${kilobytes(total)} of compressed script in ${sizes.length} files (limit ${kilobytes(BUDGET_BYTES)})`,
)
if (total > BUDGET_BYTES) {
  for (const { file, bytes } of sizes.sort((a, b) => b.bytes - a.bytes))
    console.error(`  ${kilobytes(bytes)}  ${file}`)
  process.exitCode = 1
}
