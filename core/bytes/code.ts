// SPDX-License-Identifier: Apache-2.0

/** Crockford's base32: no letters that are read as digits, and no U. */
export const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Characters of a code that people compare or type, five bits each. */
export const CODE_CHARACTERS = 12

/** The first bits of `bytes`, five for each character, without hyphens: 60 of them unless more characters are wanted. */
export function codeOf(bytes: Uint8Array, characters = CODE_CHARACTERS): string {
  return Array.from({ length: characters }, (_, i) => {
    const at = i * 5
    const two = ((bytes[at >> 3] ?? 0) << 8) | (bytes[(at >> 3) + 1] ?? 0)
    return ALPHABET[(two >> (11 - (at & 7))) & 31]
  }).join('')
}

/** As people are shown it: in groups of four. */
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
