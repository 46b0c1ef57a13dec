import { readFileSync } from 'node:fs'
import type { Plugin } from 'vite'
import type { Document } from './document.ts'
import { render } from './render.ts'

const PLACE = '<!-- reference -->'

/** Writes the reference of `openapi.json` into docs.html while the pages are built: it needs no script to be read. */
export function reference(): Plugin {
  return {
    name: 'tenantry-reference',
    transformIndexHtml: {
      order: 'pre',
      handler(html) {
        if (!html.includes(PLACE)) return html
        const file = new URL('../openapi.json', import.meta.url)
        return html.replace(PLACE, () => render(JSON.parse(readFileSync(file, 'utf8')) as Document))
      },
    },
  }
}
