import type { RouteLocationRaw } from 'vue-router'

export interface NavigationItem {
  label: string
  icon: string
  to: RouteLocationRaw
  /** Names of the routes for which this item is the current one. */
  routes: readonly string[]
  /** Something here needs a look: shown as a number. */
  count?: number
}

/** One thing that the command palette can do. */
export interface Command {
  id: string
  label: string
  icon: string
  suffix?: string
  run: () => void
}

export interface CommandGroup {
  id: string
  label: string
  items: Command[]
}
