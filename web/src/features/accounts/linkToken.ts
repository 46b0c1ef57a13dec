/** The token of a link in a mail. It stands in the fragment, so that no request carries it into a log. */
export function linkToken(): string {
  return new URLSearchParams(window.location.hash.slice(1)).get('token') ?? ''
}
