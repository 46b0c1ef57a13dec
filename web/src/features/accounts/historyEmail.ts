/** The address that the page before passed on with the navigation, out of sight of the address bar and of logs. */
export function emailOfHistory(): string | undefined {
  const state: unknown = window.history.state
  const passed =
    typeof state === 'object' && state !== null && 'email' in state && typeof state.email === 'string'
  return passed ? (state.email as string) : undefined
}

/** What a link passes on so that an address is typed once, whichever of these pages a person needs. */
export function withEmail(email: string): { email: string } | undefined {
  const typed = email.trim()
  return typed ? { email: typed } : undefined
}
