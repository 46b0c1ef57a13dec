import { defineConfig } from '@hey-api/openapi-ts'

/** The client is generated from the server's own document; `npm run generate:check` fails when it is stale. */
export default defineConfig({
  input: './openapi.json',
  output: { path: './src/client', clean: true },
  plugins: [
    { name: '@hey-api/client-fetch', baseUrl: false, throwOnError: true },
    { name: '@hey-api/typescript', enums: false },
    '@hey-api/sdk',
    // zod/mini: the full build would take a quarter of the first page's script budget.
    { name: 'zod', compatibilityVersion: 'mini', dates: { offset: true } },
    { name: '@tanstack/vue-query', mutationOptions: true, infiniteQueryOptions: false },
  ],
})
