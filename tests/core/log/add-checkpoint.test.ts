// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { toBase64 } from '#core/bytes/base64.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import {
  formatAddCheckpoint,
  formatCosignatures,
  formatSizeBody,
  MAX_ADD_CHECKPOINT_BYTES,
  parseAddCheckpoint,
  parseCosignatures,
  parseSizeBody,
} from '#core/log/add-checkpoint.ts'
import { formatNote, parseNote } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { tlogVectors } from '#tests/vectors/tlog.ts'
import { CHECKPOINT, COSIGNED_NOTE, LOG_MALFORMED, signerOf, TIME } from './signers.ts'

/** c2sp.org/tlog-witness, the example of a request and of an answer. */
const REQUEST = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u2014 example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`
const ANSWER = `\u2014 witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==
\u2014 witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==
\u2014 witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==
`
const HASH = toBase64(new Uint8Array(32))
const FIRST = `old 0\n\n${COSIGNED_NOTE}`

describe('a request to cosign', () => {
  it('is read and written as the specification shows', () => {
    const request = parseAddCheckpoint(REQUEST)
    expect(request.oldSize).toBe(20852014)
    expect(request.hashes.map(toBase64)).toEqual(REQUEST.split('\n').slice(1, 5))
    expect(parseNote(request.note).signatures).toHaveLength(2)
    expect(formatAddCheckpoint(request)).toBe(REQUEST)
    expect(parseAddCheckpoint(utf8(REQUEST))).toEqual(request)
  })

  it('is read as torchwood’s tests send it, and from size 0 has no hashes', () => {
    const { addCheckpoint } = tlogVectors.torchwood
    expect(parseAddCheckpoint(addCheckpoint)).toMatchObject({ oldSize: 0, hashes: [] })
    expect(formatAddCheckpoint(parseAddCheckpoint(addCheckpoint))).toBe(addCheckpoint)
    expect(parseAddCheckpoint(FIRST).note).toBe(COSIGNED_NOTE)
  })

  it('may claim an old size above the checkpoint’s, which a witness refuses after it knows the log', () => {
    expect(parseAddCheckpoint(FIRST.replace('old 0', 'old 2')).oldSize).toBe(2)
  })

  it('has room within its limit for both signatures of a log and the longest proof', async () => {
    const name = 'ampere.example/log1'
    const signers = [await signerOf(name, 'Ed25519', 1), await signerOf(name, 'cosignature-ML-DSA-44', 1)]
    const note = formatNote(await signCheckpoint(CHECKPOINT, signers, TIME))
    const hashes = Array.from({ length: 63 }, () => new Uint8Array(32))
    const text = formatAddCheckpoint({ oldSize: Number.MAX_SAFE_INTEGER, hashes, note })
    expect(parseAddCheckpoint(text)).toEqual({ oldSize: Number.MAX_SAFE_INTEGER, hashes, note })
    expect(text.length).toBeLessThan(MAX_ADD_CHECKPOINT_BYTES / 2)
  })

  it('is refused above the limit that is given, in both directions', () => {
    const bytes = utf8(REQUEST).length
    expect(formatAddCheckpoint(parseAddCheckpoint(REQUEST, bytes), bytes)).toBe(REQUEST)
    expect(() => parseAddCheckpoint(REQUEST, bytes - 1)).toThrow(expect.objectContaining(LOG_MALFORMED))
    expect(() => parseAddCheckpoint(utf8(REQUEST), bytes - 1)).toThrow(expect.objectContaining(LOG_MALFORMED))
    expect(() => formatAddCheckpoint(parseAddCheckpoint(REQUEST), bytes - 1)).toThrow(
      expect.objectContaining(LOG_MALFORMED),
    )
    const long = FIRST.replace(
      '\n\u2014',
      `\n\u2014 x ${'AAAA'.repeat(MAX_ADD_CHECKPOINT_BYTES / 4)}\n\u2014`,
    )
    expect(() => parseAddCheckpoint(long)).toThrow(expect.objectContaining(LOG_MALFORMED))
    expect(parseAddCheckpoint(long, 2 * MAX_ADD_CHECKPOINT_BYTES).oldSize).toBe(0)
  })

  it.each([
    ['nothing', ''],
    ['no old size', FIRST.slice(FIRST.indexOf('\n') + 1)],
    ['a leading zero', FIRST.replace('old 0', 'old 00')],
    ['a sign', FIRST.replace('old 0', 'old +0')],
    ['two spaces', FIRST.replace('old 0', 'old  0')],
    ['a size beyond 2^53-1', FIRST.replace('old 0', 'old 9007199254740992')],
    ['a size beyond 2^63-1', FIRST.replace('old 0', 'old 9223372036854775808')],
    ['a capital', FIRST.replace('old', 'Old')],
    ['a short hash', FIRST.replace('old 0\n', `old 1\n${toBase64(new Uint8Array(31))}\n`)],
    ['a hash with slack bits', FIRST.replace('old 0\n', `old 1\n${HASH.slice(0, -2)}B=\n`)],
    ['white space behind a hash', FIRST.replace('old 0\n', `old 1\n${HASH} \n`)],
    ['64 hashes', FIRST.replace('old 0\n', `old 1\n${`${HASH}\n`.repeat(64)}`)],
    ['no empty line', FIRST.replace('\n\n', '\n')],
    ['two empty lines', FIRST.replace('\n\n', '\n\n\n')],
    ['no checkpoint', 'old 0\n\n'],
    ['a carriage return', FIRST.replaceAll('\n', '\r\n')],
    ['a NUL', FIRST.replace('old 0', 'old 0\0')],
    ['no final newline', FIRST.slice(0, -1)],
    ['a signature twice', FIRST + FIRST.split('\n').slice(-2).join('\n')],
  ])('is refused with %s', (_, text) => {
    expect(() => parseAddCheckpoint(text)).toThrow(expect.objectContaining(LOG_MALFORMED))
  })

  it.each([
    ['a size that is no count', { oldSize: -1 }],
    ['64 hashes', { hashes: Array.from({ length: 64 }, () => new Uint8Array(32)) }],
    ['a note that is none', { note: 'a\n' }],
  ])('is not written with %s', (_, change) => {
    expect(() => formatAddCheckpoint({ ...parseAddCheckpoint(FIRST), ...change })).toThrow(
      expect.objectContaining(LOG_MALFORMED),
    )
  })
})

describe('the answer of a witness', () => {
  it('is one or more signature lines, as the specification shows', () => {
    expect(parseCosignatures(ANSWER).map(({ name }) => name)).toEqual([
      'witness.example/w1',
      'witness.example/w1',
      'witness.example/w2',
    ])
    expect(formatCosignatures(parseCosignatures(utf8(ANSWER)))).toBe(ANSWER)
  })

  it.each([
    ['nothing', ''],
    ['an empty line', '\n'],
    ['an empty line behind', `${ANSWER}\n`],
    ['an empty line before', `\n${ANSWER}`],
    ['a carriage return', ANSWER.replaceAll('\n', '\r\n')],
    ['no final newline', ANSWER.slice(0, -1)],
    ['a line twice', ANSWER + ANSWER],
    ['HTML', '<html>\n'],
  ])('is refused when it is %s', (_, text) => {
    expect(() => parseCosignatures(text)).toThrow(expect.objectContaining(LOG_MALFORMED))
  })

  it('is never written without a cosignature', () => {
    expect(() => formatCosignatures([])).toThrow(expect.objectContaining(LOG_MALFORMED))
  })

  it.each([0, 1, Number.MAX_SAFE_INTEGER])('is the size %d that it has, in decimal', (size) => {
    expect(formatSizeBody(size)).toBe(`${size}\n`)
    expect(parseSizeBody(formatSizeBody(size))).toBe(size)
    expect(parseSizeBody(utf8(formatSizeBody(size)))).toBe(size)
  })

  it.each([
    '',
    '\n',
    '7',
    '07\n',
    '7\n7\n',
    '7\n\n',
    ' 7\n',
    '7\r\n',
    '-7\n',
    '9007199254740992\n',
    '9223372036854775808\n',
    '٧\n',
  ])('is no size when it is %j', (text) => {
    expect(() => parseSizeBody(text)).toThrow(expect.objectContaining(LOG_MALFORMED))
  })

  it.each([-1, 0.5, 2 ** 53, Number.NaN])('never says the size %d', (size) => {
    expect(() => formatSizeBody(size)).toThrow(expect.objectContaining(LOG_MALFORMED))
  })
})
