export interface Device {
  /** "Firefox"; absent when the agent's words say nothing that we know. */
  browser?: string
  /** "Windows" */
  system?: string
  kind: 'desktop' | 'phone' | 'tablet' | 'program' | 'unknown'
}

// The order matters: most browsers also claim to be the ones that stand further down.
const BROWSERS: [pattern: RegExp, name: string][] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\b(OPR|Opera)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bVersion\/.*\bSafari\//, 'Safari'],
]

const SYSTEMS: [pattern: RegExp, name: string, kind: Device['kind']][] = [
  [/\biPhone\b/, 'iPhone', 'phone'],
  [/\biPad\b/, 'iPad', 'tablet'],
  [/\bAndroid\b.*\bMobile\b/, 'Android', 'phone'],
  [/\bAndroid\b/, 'Android', 'tablet'],
  [/\bWindows\b/, 'Windows', 'desktop'],
  [/\bMac(intosh| OS X)\b/, 'macOS', 'desktop'],
  [/\bCrOS\b/, 'ChromeOS', 'desktop'],
  [/\bLinux\b/, 'Linux', 'desktop'],
]

/** A program names itself first: `curl/8.5.0`, `python-requests/2.32`. */
const PROGRAM = /^([A-Za-z][\w.+-]{0,38})\/[\w.-]+/

/** What somebody signs in with, read from the words that it sends of itself. Those words may say anything. */
export function describeDevice(agent: string): Device {
  const system = SYSTEMS.find(([pattern]) => pattern.test(agent))
  const browser = BROWSERS.find(([pattern]) => pattern.test(agent))?.[1]
  if (browser || system) return { browser, system: system?.[1], kind: system?.[2] ?? 'desktop' }
  const program = PROGRAM.exec(agent)?.[1]
  return program ? { browser: program, kind: 'program' } : { kind: 'unknown' }
}

export const deviceIcons: Record<Device['kind'], string> = {
  desktop: 'i-lucide-monitor',
  phone: 'i-lucide-smartphone',
  tablet: 'i-lucide-tablet',
  program: 'i-lucide-terminal',
  unknown: 'i-lucide-circle-help',
}
