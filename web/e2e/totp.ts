import { createHmac } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const STEP_MS = 30_000
const DIGITS = 6

function decodeBase32(text: string): Buffer {
  const bits = [...text.replace(/[\s=]/g, '').toUpperCase()]
    .map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

/** What an authenticator app shows for this secret at this moment (RFC 6238: SHA-1, 30 seconds, six digits). */
export function totp(secret: string, at = Date.now()): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / STEP_MS)))
  const digest = createHmac('sha1', decodeBase32(secret)).update(counter).digest()
  const offset = (digest.at(-1) ?? 0) & 15
  const number = digest.readUInt32BE(offset) & 0x7fff_ffff
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0')
}

/** The step of the last code that was handed out, by secret. */
const handedOut = new Map<string, number>()

/**
 * A code that was not handed out before: none is taken twice. The server allows for clocks that are a step ahead, so two
 * can be had at once; then it takes half a minute for each.
 */
export async function freshCode(secret: string): Promise<string> {
  for (;;) {
    const now = Math.floor(Date.now() / STEP_MS)
    const step = Math.max(now, (handedOut.get(secret) ?? 0) + 1)
    if (step <= now + 1) {
      handedOut.set(secret, step)
      return totp(secret, step * STEP_MS)
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
}
