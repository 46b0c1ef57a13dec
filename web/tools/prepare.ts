/**
 * Writes the component library's theme files (node_modules/.nuxt-ui), which its types refer to. Vite does so when it
 * starts; the type checker, run alone after `npm ci`, needs them too.
 */
import { resolveConfig } from 'vite'

await resolveConfig({ logLevel: 'error' }, 'build')
