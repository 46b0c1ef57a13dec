/**
 * The path to go back to after logging in, if it is one of ours; otherwise the fallback.
 * It arrives in the address, so anybody may have written it: another origin, a scheme, a protocol-relative
 * address or a backslash trick must not leave this site.
 */
export function localPath(candidate: unknown, fallback: string): string {
  if (typeof candidate !== 'string' || !candidate.startsWith('/')) return fallback
  if (/^\/[/\\]|[\u0000-\u001f\u007f\\]/.test(candidate)) return fallback
  try {
    const url = new URL(candidate, window.location.origin)
    if (url.origin !== window.location.origin) return fallback
    return url.pathname + url.search + url.hash
  } catch {
    return fallback
  }
}
