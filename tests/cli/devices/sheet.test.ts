// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { decodeQR } from 'qr/decode.js'
import { asDigest, asInstitutionId } from '#core/bytes/ids.ts'
import { toHex } from '#core/bytes/encoding.ts'
import { sheetPage } from '#cli/device/sheet/page.ts'
import { codeOf, parseSheet, wordsOf } from '#cli/device/sheet/words.ts'

const ID = 'A'.repeat(43)
const place = {
  v: 1,
  type: 'ampere-invitation',
  registry: asDigest(ID),
  origin: 'https://home.example',
  chain: ID as never,
} as const
const seedOf = (byte: number) => new Uint8Array(32).fill(byte)

describe('the words of a sheet', () => {
  // Vectors of the BIP-39 reference implementation (github.com/trezor/python-mnemonic).
  it.each([
    [0x00, `${'abandon '.repeat(23)}art`],
    [
      0x7f,
      'legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title',
    ],
    [0xff, `${'zoo '.repeat(23)}vote`],
  ])('of 32 bytes %i are those of BIP-39, and give the bytes back', (byte, words) => {
    expect(wordsOf(seedOf(byte)).join(' ')).toBe(words)
    expect(toHex(parseSheet(words).seed)).toBe(toHex(seedOf(byte)))
  })

  it('are read with numbers, in capitals and over several lines', () => {
    const typed = wordsOf(seedOf(0x7f))
      .map((word, i) => `${i + 1}. ${word.toUpperCase()}\n`)
      .join('')
    expect(toHex(parseSheet(typed).seed)).toBe(toHex(seedOf(0x7f)))
  })

  it.each([
    ['too few', 'legal winner', /24 words, and here are 2/],
    ['a word that is none', `${'abandon '.repeat(22)}abandom art`, /word 23/],
    ['another last word', `${'abandon '.repeat(23)}zoo`, /do not belong together/],
    ['another word', `legal ${'abandon '.repeat(22)}art`, /do not belong together/],
  ])('are refused for %s, and not repeated', (_, text, says) => {
    const attempt = () => parseSheet(text)
    expect(attempt).toThrow(says)
    expect(attempt).not.toThrow(/abandon|legal|zoo/)
  })
})

describe('the code of a sheet', () => {
  it('says the seed and where the record is', () => {
    const { seed, invitation } = parseSheet(codeOf(seedOf(5), place))
    expect(toHex(seed)).toBe(toHex(seedOf(5)))
    expect(invitation).toEqual({ ...place, policy: null })
  })

  it.each([
    ['cut off', (code: string) => code.slice(0, -4)],
    ['of another version', (code: string) => code.replace('v=1', 'v=2')],
    ['without its record', (code: string) => code.replace(/&c=[^&]*/, '')],
  ])('is refused when it is %s', (_, spoil) => {
    expect(() => parseSheet(spoil(codeOf(seedOf(5), place)))).toThrow()
  })
})

/** Draws the squares of a page's code, as a camera would see them. */
function pictureOf(page: string) {
  const side = Number(/viewBox="0 0 (\d+) /.exec(page)?.[1])
  const scale = 4
  const width = side * scale
  const data = new Uint8Array(width * width * 4).fill(255)
  let [x, y] = [0, 0]
  for (const [, how, right, down] of page.matchAll(/([Mm])(-?\d+) ?(-?\d+)h1v1[Hh]-?\d+Z/g)) {
    const from = how === 'M' ? [0, 0] : [x, y]
    ;[x, y] = [(from[0] ?? 0) + Number(right), (from[1] ?? 0) + Number(down)]
    for (let row = y * scale; row < (y + 1) * scale; row++)
      for (let column = x * scale; column < (x + 1) * scale; column++)
        data.fill(0, (row * width + column) * 4, (row * width + column) * 4 + 3)
  }
  return { width, height: width, data }
}

describe('the page of a sheet', () => {
  const page = sheetPage({
    seed: seedOf(0x7f),
    fingerprint: 'AAAA-BBBB-CCCC-DDDD',
    place: { ...place, origin: 'https://home.example/?a=<b>' },
    recovery: { threshold: 1, members: [{ kind: 'institution', institution: asInstitutionId('st-mary') }] },
    made: '2026-11-30T08:00:00.000Z',
  })

  it('has the words and the code, and loads or runs nothing', () => {
    expect(page.match(/<li>[a-z]+<\/li>/g)).toHaveLength(24)
    expect(page).toContain('<svg')
    expect(page).toContain("default-src 'none'")
    expect(page).not.toMatch(/<script|<link|<img|<iframe|src=|href=|url\(|@import|\son\w+=/i)
  })

  it('has a code that a camera reads', () => {
    const { seed, invitation } = parseSheet(decodeQR(pictureOf(page)))
    expect(toHex(seed)).toBe(toHex(seedOf(0x7f)))
    expect(invitation?.chain).toBe(ID)
  })

  it('shows what others wrote as text', () => {
    expect(page).toContain('https://home.example/?a=&lt;b&gt;')
    expect(page).not.toContain('<b>')
  })
})
