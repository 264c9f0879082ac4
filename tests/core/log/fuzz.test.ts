// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { AmpereError } from '#core/errors.ts'
import {
  formatAddCheckpoint,
  formatCosignatures,
  formatSizeBody,
  parseAddCheckpoint,
  parseCosignatures,
  parseSizeBody,
} from '#core/log/add-checkpoint.ts'
import { formatCheckpoint, parseCheckpoint } from '#core/log/note/checkpoint.ts'
import { formatVerifierKey, parseVerifierKey } from '#core/log/note/key.ts'
import { formatNote, parseNote } from '#core/log/note/note.ts'
import { formatPolicy, parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import { formatTlogProof, parseTlogProof } from '#core/log/tlog-proof.ts'
import { CHECKPOINT_TEXT, COSIGNED_NOTE, LOG_VKEY, WITNESS_VKEY } from './signers.ts'

const HASHES = 'PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n'
/** Pieces that parsers look for. */
const WHOLE = [
  'old ',
  'index ',
  'extra ',
  'AAAAAQE=',
  'c2sp.org/tlog-proof@v1\n',
  'log ',
  'group g ',
  'quorum none\n',
].concat(HASHES, CHECKPOINT_TEXT, COSIGNED_NOTE, LOG_VKEY)
/** Bytes that mean something in these formats, and others. */
const BYTES = [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x2b, 0x2d, 0x2f, 0x30, 0x31, 0x3d, 0x41, 0x7f, 0x80, 0xe2, 0xff]

interface Format {
  readonly name: string
  readonly good: string
  /** Reads and writes again. */
  readonly again: (bytes: Uint8Array) => string
}

/** Formats in which one value has one spelling. */
const FORMATS: readonly Format[] = [
  { name: 'a note', good: COSIGNED_NOTE, again: (bytes) => formatNote(parseNote(bytes)) },
  {
    name: 'a checkpoint',
    good: `${CHECKPOINT_TEXT}more\n`,
    again: (bytes) => formatCheckpoint(parseCheckpoint(fromUtf8(bytes))),
  },
  {
    name: 'a verifier key',
    good: LOG_VKEY,
    again: (bytes) => formatVerifierKey(parseVerifierKey(fromUtf8(bytes))),
  },
  {
    name: 'a tlog-proof',
    good: `c2sp.org/tlog-proof@v1\nextra AAE=\nindex 10\n${HASHES}\n${COSIGNED_NOTE}`,
    again: (bytes) => formatTlogProof(parseTlogProof(bytes)),
  },
  {
    name: 'a request to cosign',
    good: `old 10\n${HASHES}\n${COSIGNED_NOTE}`,
    again: (bytes) => formatAddCheckpoint(parseAddCheckpoint(bytes)),
  },
  {
    name: 'an answer with cosignatures',
    good: COSIGNED_NOTE.slice(COSIGNED_NOTE.indexOf('\n\n') + 2),
    again: (bytes) => formatCosignatures(parseCosignatures(bytes)),
  },
  { name: 'an answer with a size', good: '1203\n', again: (bytes) => formatSizeBody(parseSizeBody(bytes)) },
]
const POLICY = `# one\nwitness w ${WITNESS_VKEY} https://w.example/\ngroup g 1 w\nquorum g\n`

/** What is written again, or null where reading was refused; anything but an AmpereError fails the test. */
function tried(again: (bytes: Uint8Array) => string, bytes: Uint8Array): string | null {
  try {
    return again(bytes)
  } catch (error) {
    if (error instanceof AmpereError) return null
    throw error
  }
}

/** Every text that is one byte changed, more or less. */
function* mutants(good: Uint8Array): Generator<Uint8Array> {
  for (let i = 0; i <= good.length; i++) {
    const [before, after, here] = [good.subarray(0, i), good.subarray(i + 1), good[i]]
    for (const byte of BYTES) yield Uint8Array.of(...before, byte, ...good.subarray(i))
    if (here === undefined) continue
    yield Uint8Array.of(...before, ...after)
    for (let bit = 0; bit < 8; bit++) yield Uint8Array.of(...before, here ^ (1 << bit), ...after)
  }
}

describe('whatever one byte of it is changed, added or left out', () => {
  it.each(FORMATS)('$name is refused or is written again in the same bytes', ({ good, again }) => {
    const bytes = utf8(good)
    expect(again(bytes)).toBe(good)
    let [refused, other] = [0, 0]
    for (const mutant of mutants(bytes)) {
      const text = tried(again, mutant)
      if (text === null) refused++
      else if (!Buffer.from(mutant).equals(Buffer.from(text))) other++
    }
    expect(other).toBe(0)
    expect(refused).toBeGreaterThan(good.length)
  })

  it('a policy is refused or has a canonical spelling that is read as the same', () => {
    let read = 0
    for (const mutant of mutants(utf8(POLICY))) {
      let policy: Policy | null = null
      const text = tried((bytes) => formatPolicy((policy = parsePolicy(bytes))), mutant)
      if (text === null) continue
      read++
      expect(parsePolicy(text)).toEqual(policy)
    }
    expect(read).toBeGreaterThan(0)
  })
})

describe('texts of no format', () => {
  const parts = fc.constantFrom(
    '\n',
    '\n\n',
    '\u2014 ',
    'a',
    ' ',
    '+',
    '0',
    '7',
    '=',
    '\r',
    '\ud800',
    '\ufeff',
    ...WHOLE,
  )
  const text = fc.oneof(
    fc.array(parts, { maxLength: 12 }).map((list) => list.join('')),
    fc.string({ unit: 'binary', maxLength: 60 }),
  )

  it.each(FORMATS)('of which some may be $name, never make its reader throw anything else', ({ again }) => {
    fc.assert(
      fc.property(fc.oneof(text.map(utf8), fc.uint8Array({ maxLength: 60 })), (bytes) => {
        const read = tried(again, bytes)
        if (read !== null) expect(utf8(read)).toEqual(new Uint8Array(bytes))
      }),
      { seed: 5, numRuns: 800 },
    )
  })

  it('are read from strings as well, with lone surrogates and all', () => {
    const readers = [
      parseNote,
      parseTlogProof,
      parseAddCheckpoint,
      parseCosignatures,
      parseSizeBody,
      parsePolicy,
    ]
    fc.assert(
      fc.property(text, (given) => {
        for (const reader of [...readers, parseCheckpoint, parseVerifierKey])
          tried(() => JSON.stringify(reader(given)), new Uint8Array(0))
      }),
      { seed: 6, numRuns: 800 },
    )
  })
})
