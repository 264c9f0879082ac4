// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { fromBase64, toBase64 } from '#core/bytes/base64.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { formatVerifierKey, logKey, logKeyOfJwk, parseVerifierKey, publicJwkOf } from '#core/log/note/key.ts'
import {
  formatNote,
  MAX_NOTE_BYTES,
  MAX_NOTE_SIGNATURES,
  parseNote,
  withSignatures,
} from '#core/log/note/note.ts'
import { tlogVectors } from '#tests/vectors/tlog.ts'
import { COSIGNED_NOTE, LOG_MALFORMED, LOG_VKEY, WITNESS_VKEY } from './signers.ts'

/** c2sp.org/signed-note, the example of a verifier key and its signature. */
const SPEC_VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const SPEC_NOTE = `This is an example message.

\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`
const REMORA_VKEY = 'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2'
const SIGNATURE = { name: 'a', id: 1, blob: Uint8Array.of(1) }

describe('base64', () => {
  it('agrees with the platform for all bytes, and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'))
        expect(fromBase64(toBase64(bytes))).toEqual(new Uint8Array(bytes))
      }),
      { seed: 1 },
    )
  })

  it.each([
    'A',
    'AA',
    'AAA',
    'AB==',
    'AAF=',
    'A===',
    'AAAA====',
    'A=A=',
    '====',
    'AA-_',
    ' AA=',
    'AAA\n',
    'é===',
  ])('refuses the spelling %j', (text) => {
    expect(() => fromBase64(text)).toThrow(expect.objectContaining({ code: 'ENCODING_MALFORMED' }))
  })
})

describe('verifier keys', () => {
  it.each([SPEC_VKEY, REMORA_VKEY, LOG_VKEY, WITNESS_VKEY, ...tlogVectors.vkeys])(
    'state the id of their name, type and key, and are written as they were read: %.40s',
    (text) => {
      const key = parseVerifierKey(text)
      expect(formatVerifierKey(key)).toBe(text)
      expect(logKeyOfJwk(key.name, key.type, publicJwkOf(key))).toEqual(key)
    },
  )

  it('verify the example of the specification', async () => {
    const { text, signatures } = parseNote(SPEC_NOTE)
    const key = parseVerifierKey(SPEC_VKEY)
    const [signature] = signatures
    expect(signature).toMatchObject({ name: key.name, id: key.id })
    const verifier = await createVerifiers().get(publicJwkOf(key))
    expect(await verifier.verify(utf8(text), signature?.blob ?? new Uint8Array(0))).toBe(true)
    expect(await verifier.verify(utf8(`${text}\n`), signature?.blob ?? new Uint8Array(0))).toBe(false)
  })

  it('are refused with the id of another name, as a key in the tests of transparency-dev/formats has', () => {
    const text = tlogVectors.vkeyOfAnotherId
    expect(() => parseVerifierKey(text)).toThrow(
      expect.objectContaining({ code: 'LOG_MALFORMED', message: expect.stringContaining('another key ID') }),
    )
    const key = fromBase64(text.split('+').slice(2).join('+')).subarray(1)
    expect(logKey('test', 'cosignature-ML-DSA-44', key).id).toBe(0x31236897)
    expect(parseVerifierKey(text.replace('5893dc2c', '31236897')).name).toBe('test')
  })

  it.each([
    ['no parts', 'example.com'],
    ['no key', 'example.com+530d903a'],
    ['an empty key', 'example.com/foo+530d903a+'],
    ['no name', SPEC_VKEY.replace('example.com/foo', '')],
    ['another name', SPEC_VKEY.replace('foo', 'fop')],
    ['a name with a space', SPEC_VKEY.replace('/foo', '/f\u00a0oo')],
    ['a name with a control character', SPEC_VKEY.replace('/foo', '/f\0oo')],
    ['a name that is too long', SPEC_VKEY.replace('foo', 'f'.repeat(300))],
    ['upper-case hexadecimal', SPEC_VKEY.replace('530d903a', '530D903A')],
    ['a short id', SPEC_VKEY.replace('530d903a', '530d903')],
    ['another id', SPEC_VKEY.replace('530d903a', '530d903b')],
    ['base64 without padding', WITNESS_VKEY.slice(0, -1) + '='],
    ['base64 with slack bits', `${SPEC_VKEY.slice(0, -2)}l=`],
    ['white space behind', `${SPEC_VKEY}\n`],
  ])('are refused with %s', (_, text) => {
    expect(() => parseVerifierKey(text)).toThrow(expect.objectContaining(LOG_MALFORMED))
  })

  it.each([
    ['ECDSA', 2],
    ['RFC 6962', 5],
    ['unassigned', 255],
  ])('of the signature type %s are not supported', (_, byte) => {
    const text = `a+00000000+${toBase64(Uint8Array.of(byte, ...new Uint8Array(91)))}`
    expect(() => parseVerifierKey(text)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
  })

  it('are refused where the bytes are no public key, or one that verifiers disagree about', () => {
    for (const bytes of [new Uint8Array(31), new Uint8Array(33), Uint8Array.of(1, ...new Uint8Array(31))])
      expect(() => logKey('a', 'Ed25519', bytes)).toThrow(expect.objectContaining({ code: 'KEY_MALFORMED' }))
    const key = parseVerifierKey(SPEC_VKEY)
    expect(() => logKeyOfJwk('a', 'cosignature-ML-DSA-44', publicJwkOf(key))).toThrow(
      expect.objectContaining({ code: 'KEY_MALFORMED' }),
    )
  })
})

describe('signed notes', () => {
  it('separate text and signatures at the last empty line', () => {
    const note = `a\n\n\u2014 b AAAAAQE=\n\n\u2014 a AAAAAQE=\n`
    expect(parseNote(note)).toEqual({ text: 'a\n\n\u2014 b AAAAAQE=\n', signatures: [SIGNATURE] })
    expect(formatNote(parseNote(note))).toBe(note)
    const empty = `\n\n\n\u2014 a AAAAAQE=\n`
    expect(parseNote(empty).text).toBe('\n\n')
    expect(formatNote(parseNote(empty))).toBe(empty)
  })

  it('are read from text and from bytes alike', () => {
    expect(parseNote(utf8(COSIGNED_NOTE))).toEqual(parseNote(COSIGNED_NOTE))
    expect(formatNote(parseNote(COSIGNED_NOTE))).toBe(COSIGNED_NOTE)
  })

  it('come back from what is written', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((part) => !/\p{Cc}/u.test(part))
    const signature = fc.record({
      name: fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 9 })
        .filter((name) => !/[\p{White_Space}\p{Cc}+]/u.test(name)),
      id: fc.nat(0xffffffff),
      blob: fc.uint8Array({ minLength: 1, maxLength: 90 }).map((bytes) => Uint8Array.from(bytes)),
    })
    const line = (one: { readonly name: string; readonly id: number; readonly blob: Uint8Array }) =>
      `${one.name} ${one.id} ${toBase64(one.blob)}`
    const note = fc.record({
      text: fc.array(text, { minLength: 1, maxLength: 5 }).map((lines) => `${lines.join('\n')}\n`),
      signatures: fc.uniqueArray(signature, { minLength: 1, maxLength: 5, selector: line }),
    })
    fc.assert(
      fc.property(note, (value) => {
        expect(parseNote(formatNote(value))).toEqual(value)
      }),
      { seed: 2 },
    )
  })

  const good = 'text\n\n\u2014 a AAAAAQE=\n'
  it.each([
    ['no empty line', 'text\n\u2014 a AAAAAQE=\n'],
    ['no signature', 'text\n\n'],
    ['an empty signature line', `${good}\n`],
    ['no final newline', good.slice(0, -1)],
    ['a carriage return', good.replace('text', 'text\r')],
    ['a NUL', good.replace('text', 'te\0xt')],
    ['a tab', good.replace('text', 'te\txt')],
    ['a carriage return behind a signature', good.replace('=\n', '=\r\n')],
    ['a hyphen for the dash', good.replace('\u2014', '-')],
    ['two spaces before the name', good.replace(' a', '  a')],
    ['two spaces before the signature', good.replace('a A', 'a  A')],
    ['no name', good.replace(' a ', ' ')],
    ['an empty name', good.replace(' a ', '  ')],
    ['a "+" in a name', good.replace(' a ', ' a+b ')],
    ['a Unicode space in a name', good.replace(' a ', ' a\u2003b ')],
    ['a next line character in a name', good.replace(' a ', ' a\u0085b ')],
    ['a lone surrogate', good.replace('text', '\ud800')],
    ['base64 without padding', good.replace('AQE=', 'AQE')],
    ['base64 with slack bits', good.replace('AQE=', 'AQF=')],
    ['base64url', good.replace('AAAAAQE=', 'AAAA_-A=')],
    ['white space behind a signature', good.replace('=\n', '= \n')],
    ['a signature that is only a key ID', good.replace('AAAAAQE=', 'AAAAAQ==')],
    ['the same signature twice', good + '\u2014 a AAAAAQE=\n'],
    [
      'too many signatures',
      `${good}${Array.from({ length: MAX_NOTE_SIGNATURES }, (_, i) => `\u2014 ${i} AAAAAQE=\n`).join('')}`,
    ],
    ['too many bytes', good.replace('text', 'é'.repeat(MAX_NOTE_BYTES / 2))],
  ])('are refused with %s', (_, note) => {
    expect(() => parseNote(note)).toThrow(expect.objectContaining(LOG_MALFORMED))
  })

  it('are refused when their bytes are not UTF-8, and a mark of byte order is part of the text', () => {
    expect(parseNote(good).text).toBe('text\n')
    expect(() => parseNote(Uint8Array.of(0xc3, 0x28, ...utf8(good)))).toThrow(
      expect.objectContaining(LOG_MALFORMED),
    )
    expect(parseNote(utf8(`\ufeff${good}`)).text).toBe('\ufefftext\n')
  })

  it('have room for as many signatures of ML-DSA-44 as of Ed25519', () => {
    const signatures = Array.from({ length: MAX_NOTE_SIGNATURES }, (_, i) => ({
      name: `witness.example/w${i}`,
      id: i,
      blob: new Uint8Array(i % 2 === 0 ? 2428 : 72).fill(i),
    }))
    expect(parseNote(formatNote({ text: 'a\n', signatures })).signatures).toEqual(signatures)
  })

  it.each([
    ['no signatures', { text: 'a\n', signatures: [] }],
    ['a text without a final newline', { text: 'a', signatures: [SIGNATURE] }],
    ['a control character', { text: 'a\r\n', signatures: [SIGNATURE] }],
    ['a name that is two lines', { text: 'a\n', signatures: [{ ...SIGNATURE, name: 'a\n\n\u2014' }] }],
    ['a key ID that is no uint32', { text: 'a\n', signatures: [{ ...SIGNATURE, id: 2 ** 32 }] }],
    ['an empty signature', { text: 'a\n', signatures: [{ ...SIGNATURE, blob: new Uint8Array(0) }] }],
    ['a signature twice', { text: 'a\n', signatures: [SIGNATURE, SIGNATURE] }],
  ])('are not written with %s', (_, note) => {
    expect(() => formatNote(note)).toThrow(expect.objectContaining(LOG_MALFORMED))
  })

  it('take a newer signature of a key in the place of its older one', () => {
    const note = { text: 'a\n', signatures: [SIGNATURE, { ...SIGNATURE, id: 2 }] }
    const newer = { ...SIGNATURE, blob: Uint8Array.of(9) }
    const other = { ...SIGNATURE, name: 'b' }
    expect(withSignatures(note, [newer, other]).signatures).toEqual([newer, { ...SIGNATURE, id: 2 }, other])
  })
})
