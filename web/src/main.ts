import '@fontsource-variable/inter/wght.css'
import '@/design/theme.css'
import { VueQueryPlugin } from '@tanstack/vue-query'
import { createApp } from 'vue'
import * as z from 'zod/mini'
import App from './App.vue'
import { configureHttp } from '@/app/http'
import { i18n } from '@/app/i18n'
import { queryClient } from '@/app/queryClient'
import { buildRouter } from '@/app/router'
import { watchTyping } from '@/app/typed'
import { applyColorMode } from '@/design/colorMode'
import { registerIcons } from '@/design/icons'

// The content security policy forbids eval, which zod would otherwise try for speed.
z.config({ jitless: true })

applyColorMode()
registerIcons()
configureHttp()
watchTyping()

createApp(App).use(VueQueryPlugin, { queryClient }).use(i18n).use(buildRouter()).mount('#app')
