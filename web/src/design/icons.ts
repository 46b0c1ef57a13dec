import { _api, addIcon } from '@iconify/vue'
import { init } from 'virtual:nuxt-ui-icons'

/**
 * Puts the icons that were collected at build time where the icon component finds them, and takes away its way of
 * asking a public server for others: nothing is fetched.
 */
export function registerIcons(): void {
  _api.setAPIModule('', { prepare: () => [], send: () => undefined })
  init((name, icon) => addIcon(name, icon))
}
