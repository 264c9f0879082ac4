// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { toBase64 } from '#core/bytes/base64.ts'
import { formatCheckpoint, parseCheckpoint } from '#core/log/note/checkpoint.ts'
import { merkleRoot, rootOf } from '#core/log/merkle.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { CHECKPOINT, CHECKPOINT_TEXT, ENTRY, LOG_MALFORMED } from './signers.ts'

const ROOT = toBase64(CHECKPOINT.root)
const textOf = (size: string) => `a\n${size}\n${ROOT}\n`

describe('checkpoints', () => {
  it('say origin, size and root', () => {
    expect(parseCheckpoint(CHECKPOINT_TEXT)).toEqual(CHECKPOINT)
    expect(formatCheckpoint(CHECKPOINT)).toBe(CHECKPOINT_TEXT)
    expect(rootOf([utf8(ENTRY)])).toEqual(CHECKPOINT.root)
  })

  it('of an empty tree have the root of no leaves', () => {
    const text = 'a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n'
    expect(formatCheckpoint({ origin: 'a', size: 0, root: merkleRoot([]), extensions: [] })).toBe(text)
    expect(parseCheckpoint(text).size).toBe(0)
  })

  it('keep extension lines as they are, and take any origin of one line', () => {
    const text = `a log + more\n7\n${ROOT}\none \n\u2014 two\n`
    expect(parseCheckpoint(text)).toMatchObject({
      origin: 'a log + more',
      extensions: ['one ', '\u2014 two'],
    })
    expect(formatCheckpoint(parseCheckpoint(text))).toBe(text)
  })

  it('come back from what is written', () => {
    const line = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => !/\p{Cc}/u.test(text))
    const checkpoint = fc.record({
      origin: line,
      size: fc.maxSafeNat(),
      root: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Uint8Array.from(bytes)),
      extensions: fc.array(line, { maxLength: 3 }),
    })
    fc.assert(
      fc.property(checkpoint, (value) => {
        expect(parseCheckpoint(formatCheckpoint(value))).toEqual(value)
      }),
      { seed: 3 },
    )
  })

  it.each(['0', '1', '9007199254740991'])('have the size %s', (size) => {
    expect(parseCheckpoint(textOf(size)).size).toBe(Number(size))
  })

  it.each([
    '',
    '00',
    '01',
    '+1',
    '-1',
    '-0',
    '1.0',
    '1e3',
    '0x1',
    ' 1',
    '1 ',
    '١',
    '9007199254740992',
    '9007199254740993',
    '9223372036854775807',
    '9223372036854775808',
    '18446744073709551616',
    '9'.repeat(400),
  ])('are refused with the size %j', (size) => {
    expect(() => parseCheckpoint(textOf(size))).toThrow(expect.objectContaining(LOG_MALFORMED))
  })

  it.each([
    ['two lines', 'a\n1\n'],
    ['no final newline', CHECKPOINT_TEXT.slice(0, -1)],
    ['an empty origin', CHECKPOINT_TEXT.replace('ampere.example/log1', '')],
    ['an origin that is too long', CHECKPOINT_TEXT.replace('log1', 'é'.repeat(128))],
    ['an empty line', `${CHECKPOINT_TEXT}\n`],
    ['an empty line before an extension', `${CHECKPOINT_TEXT}\nmore\n`],
    ['a carriage return', CHECKPOINT_TEXT.replaceAll('\n', '\r\n')],
    ['a NUL', CHECKPOINT_TEXT.replace('log1', 'log\0')],
    ['a short root', `a\n1\n${toBase64(new Uint8Array(31))}\n`],
    ['a long root', `a\n1\n${toBase64(new Uint8Array(33))}\n`],
    ['a root with slack bits', CHECKPOINT_TEXT.replace('uCc=', 'uCd=')],
    ['a root without padding', CHECKPOINT_TEXT.replace('uCc=', 'uCc')],
    ['a root in base64url', CHECKPOINT_TEXT.replace('iipc', 'ii_c')],
    ['white space behind the root', CHECKPOINT_TEXT.replace('uCc=', 'uCc= ')],
  ])('are refused with %s', (_, text) => {
    expect(() => parseCheckpoint(text)).toThrow(expect.objectContaining(LOG_MALFORMED))
  })

  it.each([
    ['a size that is no count', { ...CHECKPOINT, size: -1 }],
    ['a size beyond 2^53-1', { ...CHECKPOINT, size: 2 ** 53 }],
    ['a fraction of a leaf', { ...CHECKPOINT, size: 0.5 }],
    ['a root of another length', { ...CHECKPOINT, root: new Uint8Array(20) }],
    ['an origin of two lines', { ...CHECKPOINT, origin: 'a\n2' }],
    ['an empty extension', { ...CHECKPOINT, extensions: [''] }],
    ['an extension of two lines', { ...CHECKPOINT, extensions: ['a\nb'] }],
    ['a control character', { ...CHECKPOINT, extensions: ['a\rb'] }],
  ])('are not written with %s', (_, checkpoint) => {
    expect(() => formatCheckpoint(checkpoint)).toThrow(expect.objectContaining(LOG_MALFORMED))
  })
})
