// SPDX-License-Identifier: Apache-2.0

/** Crockford's base32: no letters that are read as digits, and no U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Characters of a code that people compare or type, five bits each. */
export const CODE_CHARACTERS = 12

/** The first 60 bits of `bytes` as 12 characters, without hyphens. */
export function codeOf(bytes: Uint8Array): string {
  let bits = 0n
  for (const byte of bytes.subarray(0, 8)) bits = (bits << 8n) | BigInt(byte)
  const first = bits >> 4n
  return Array.from(
    { length: CODE_CHARACTERS },
    (_, i) => ALPHABET[Number((first >> BigInt(5 * (CODE_CHARACTERS - 1 - i))) & 31n)],
  ).join('')
}

/** As people are shown it: three groups of four. */
export function shownCode(code: string): string {
  return code.replaceAll(/(.{4})(?=.)/g, '$1-')
}

/** The code that somebody typed: any case, hyphens and spaces anywhere, O for 0, I and L for 1; null where it is none. */
export function parseCode(typed: string): string | null {
  const code = typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  const isCode = code.length === CODE_CHARACTERS && /^[0-9A-HJKMNP-TV-Z]+$/.test(code)
  return isCode ? code : null
}

/** Compares whole codes in a time that does not depend on where they differ. */
export function isSameCode(a: string, b: string): boolean {
  let differences = a.length ^ b.length
  for (let i = 0; i < CODE_CHARACTERS; i++) differences |= (a.charCodeAt(i) || 0) ^ (b.charCodeAt(i) || 0)
  return differences === 0
}
