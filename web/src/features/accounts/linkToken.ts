/** What a link in a mail carries. It stands in the fragment, so that no request brings it into a log. */
function fragment(name: string): string {
  return new URLSearchParams(window.location.hash.slice(1)).get(name) ?? ''
}

export function linkToken(): string {
  return fragment('token')
}

/** The address that the mail went to, where the link names it: for password managers. */
export function linkEmail(): string {
  return fragment('email')
}
