import { fileURLToPath } from 'node:url'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { reference } from './reference/plugin.ts'
import { messages } from './tools/messages.ts'

const api = process.env['TENANTRY_API'] ?? 'http://127.0.0.1:4010'

export default defineConfig({
  plugins: [
    vue(),
    messages(),
    reference(),
    ui({
      // Components and composables are imported where they are used, so that a reader sees where a name comes from.
      autoImport: false,
      components: false,
      dts: false,
      // Our own colour mode (src/design/colorMode.ts) does without the <style> element that the built-in one inserts.
      colorMode: false,
      icon: { clientBundle: { scan: { globInclude: ['src/**/*.{vue,ts}'] }, sizeLimitKb: 128 } },
      ui: {
        colors: { primary: 'pine', neutral: 'zinc' },
        button: {
          slots: { base: 'cursor-pointer' },
          // Three quarters of the colour, the library's own, leave the word on it too faint.
          compoundVariants: [
            { color: 'primary', variant: 'solid', class: 'hover:bg-primary/90 active:bg-primary/90' },
            { color: 'error', variant: 'solid', class: 'hover:bg-error/90 active:bg-error/90' },
          ],
          defaultVariants: { size: 'md' },
        },
        formField: { slots: { label: 'font-medium text-highlighted' } },
        // Fields of forms are written in 16 px on every screen; the library makes them smaller on wide ones.
        input: {
          slots: { root: 'w-full' },
          compoundVariants: [{ fixed: false, size: 'lg', class: 'md:text-base/5' }],
          defaultVariants: { size: 'lg' },
        },
        modal: {
          slots: { content: 'shadow-overlay' },
          variants: { overlay: { true: { overlay: 'bg-black/50' } } },
        },
        slideover: { slots: { overlay: 'bg-black/50' } },
        badge: {
          variants: { size: { sm: { base: 'text-xs/4 px-1.5 py-0.5 gap-1', leadingIcon: 'size-3.5' } } },
        },
        // The frame and the icon carry the state's colour; sentences are for reading.
        alert: { slots: { title: 'text-highlighted', description: 'text-sm text-toned opacity-100' } },
        card: { slots: { root: 'rounded-lg' } },
      },
    }),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    // vue-i18n: composition API only, and no compiler, since the messages come compiled.
    __VUE_I18N_FULL_INSTALL__: false,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
    __INTLIFY_DROP_MESSAGE_COMPILER__: true,
    __VUE_OPTIONS_API__: true,
    __VUE_PROD_DEVTOOLS__: false,
  },
  build: {
    assetsDir: 'assets',
    manifest: true,
    assetsInlineLimit: 0,
    target: 'es2023',
    sourcemap: false,
    rolldownOptions: { input: ['index.html', 'docs.html'] },
  },
  server: { port: 5173, proxy: { '/api': api, '/oauth': api, '/.well-known': api } },
  preview: { port: 4173, proxy: { '/api': api } },
})
