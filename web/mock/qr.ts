import type { TotpSetup } from '../src/client/types.gen.ts'

const SIZE = 33
const MARGIN = 2

/** Looks like a QR code and says nothing: three corners, and noise that is the same each time. */
function picture(): string {
  let noise = 42
  const squares: string[] = []
  const corner = (x: number, y: number) =>
    (x < 8 && y < 8) || (x >= SIZE - 8 && y < 8) || (x < 8 && y >= SIZE - 8)
  for (let y = 0; y < SIZE; y += 1) {
    for (let x = 0; x < SIZE; x += 1) {
      noise = (noise * 1_103_515_245 + 12_345) % 2_147_483_648
      if (!corner(x, y) && noise > 1_100_000_000) squares.push(`M${x} ${y}h1v1h-1z`)
    }
  }
  for (const [x, y] of [
    [0, 0],
    [SIZE - 7, 0],
    [0, SIZE - 7],
  ])
    squares.push(`M${x} ${y}h7v7h-7zm1 1v5h5v-5z`, `M${Number(x) + 2} ${Number(y) + 2}h3v3h-3z`)
  const box = `${-MARGIN} ${-MARGIN} ${SIZE + 2 * MARGIN} ${SIZE + 2 * MARGIN}`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box}"><path fill="#fff" d="M${-MARGIN} ${-MARGIN}h99v99h-99z"/><path fill-rule="evenodd" d="${squares.join('')}"/></svg>`
}

export function totpSetup(email: string): TotpSetup {
  const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
  return {
    secret,
    otpauth_uri: `otpauth://totp/Tenantry:${encodeURIComponent(email)}?secret=${secret}&issuer=Tenantry`,
    qr_svg: picture(),
  }
}
