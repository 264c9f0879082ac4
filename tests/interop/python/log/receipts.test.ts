// SPDX-License-Identifier: Apache-2.0
import { beforeAll, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { fromBase64, toBase64 } from '#core/bytes/base64.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import type { Digest } from '#core/bytes/ids.ts'
import {
  checkpoints,
  fileOf,
  having,
  linesOf,
  MISPLACED,
  unsigned,
  withoutRegistryReceipts,
  withoutWitnesses,
  WRONG_RECEIPTS,
  type Mutation,
} from '#tests/core/client/receipt/export-mutations.ts'
import { witnessedRecord, type WitnessedExport } from '#tests/vectors/ampere/receipts/witnessed-record.ts'
import { comparable, describeWithPython, inNode, verifyInPython, verifyUnderInPython } from '../software.ts'

const FROZEN = new URL('../../../vectors/ampere/receipts/', import.meta.url)
const frozen = (name: string) => readFileSync(new URL(name, FROZEN))
const expected = JSON.parse(frozen('expected.json').toString()) as Record<string, object> & {
  registry: Digest
}

/** What `exported.test.ts` does to an export, and more of the kind. */
const MUTATIONS: readonly (readonly [name: string, mutation: Mutation])[] = [
  ['nothing', (lines) => lines],
  ...WRONG_RECEIPTS,
  ...MISPLACED,
  ['a block without receipt', having('receipt', 1, () => null)],
  ['the suspect block without receipt', having('receipt', 3, () => null)],
  ['the late block without receipt', having('receipt', 4, () => null)],
  ['no receipt of the revocation', withoutRegistryReceipts],
  ['no receipts', (lines) => lines.filter((line) => !('receipt' in line || 'registryReceipt' in line))],
  ['no cosignatures', withoutWitnesses],
  ['no signatures of the log', unsigned],
  [
    'a first checkpoint without signatures of the log',
    first((text) => text.replace(/— (?!w\d)[^\n]*\n/g, '')),
  ],
  ['a first checkpoint that only one key of each signed', first(onlyEvery(2))],
  ['a first checkpoint that only Ed25519 signed', first(onlyShort)],
  ['a first checkpoint with the cosignatures of one key of each witness', first(withoutEvery(2, /^— w/))],
  ['a first checkpoint of another tree', first((text) => text.replace(/\n\d+\n/, '\n8\n'))],
  ['a first checkpoint of another log', first((text) => text.replace(/^.*\n/, 'elsewhere.test/log\n'))],
  ['a first checkpoint with an extension', first((text) => text.replace('\n\n', '\nmore\n\n'))],
  ['a first checkpoint with an unknown signature', first((text) => `${text}— w9.test/witness AAAAAAA=\n`)],
  ['a first checkpoint with a signature twice', first((text) => text + (text.match(/— .*\n$/)?.[0] ?? ''))],
  ...['log', 'w1', 'w2'].map(
    (who) => [`a first checkpoint with a wrong signature of ${who}`, first(spoilt(who))] as const,
  ),
  ['a receipt without a label', relabelled(1, () => '')],
  ['a receipt with a short label', relabelled(1, () => 'extra AAAA\n')],
  ['a receipt with another label', relabelled(1, () => `extra ${toBase64(new Uint8Array(32))}\n`)],
  ['a receipt with a label that is not base64', relabelled(1, () => 'extra ====\n')],
  ['a receipt of the registry without a label', relabelledOfRegistry(() => '')],
  [
    'a receipt of the registry with another label',
    relabelledOfRegistry(() => `extra ${toBase64(new Uint8Array(32))}\n`),
  ],
  ['a receipt of the registry of another index', ofRegistry((text) => text.replace('index ', 'index 1'))],
  ['an empty receipt of the registry', ofRegistry(() => '')],
  // What no block names says nothing, however wrong it is.
  [
    'a receipt of a block that is not there',
    (lines) => [...lines, { ...strayed(lines), of: 99, receipt: '' }],
  ],
  [
    'a receipt of a block of the registry that revoked nothing',
    (lines) => [...lines, { ...strayed(lines), of: 0, registryReceipt: '' }],
  ],
  ['under, in another form', having('receipt', 1, (line) => ({ ...line, under: 'AAAA' }))],
  ['of, as text', having('receipt', 1, (line) => ({ ...line, of: '1' }))],
]

describeWithPython('receipts in Python', () => {
  let live: WitnessedExport
  beforeAll(async () => {
    live = await witnessedRecord()
  })

  it('of the frozen export say what is expected, from the file, the registry and the policy alone', async () => {
    const [bytes, policy] = [frozen('export.ampere'), frozen('policy.txt').toString()]
    const { registry } = expected
    for (const [how, options] of [
      ['underPolicy', { policy }],
      ['withoutPolicy', {}],
    ] as const) {
      const { answers } = verifyInPython([bytes], { registry, ...options })
      expect(answers.map(comparable)).toMatchObject([expected[how]])
      expect(await inNode(bytes, registry, undefined, options.policy)).toEqual(answers.map(comparable)[0])
    }
  })

  it('of a living home, and of whatever is done to them, say what verifyExport says', async () => {
    const lines = linesOf(fromUtf8(live.bytes))
    const files = MUTATIONS.map(([, mutation]) => fileOf(mutation(lines)))
    const { registry, policy } = live
    const here = await Promise.all(files.map((bytes) => inNode(bytes, registry, undefined, policy)))
    const { answers } = verifyInPython(files, { registry, policy })
    const named = (all: readonly unknown[]) => all.map((answer, i) => [MUTATIONS[i]?.[0], answer])
    expect(named(answers.map(comparable))).toEqual(named(here))
    expect(here[0]).toMatchObject({
      statuses: ['witnessed', 'witnessed', 'witnessed', 'suspect', 'late', 'witnessed', 'promised'],
      problems: [{ height: 4, status: 'late', rule: 'revoked' }],
    })
    const said = new Set(here.map((answer) => JSON.stringify('code' in answer ? answer : answer.problems)))
    expect(said.size).toBeGreaterThan(8)
  })

  it('say under other policies what verifyExport says, also after another time was given', async () => {
    const { bytes, registry, policy } = live
    const policies = policiesLike(policy)
    const texts = policies.map(([, text]) => text)
    const here = await Promise.all(texts.map((text) => inNode(bytes, registry, undefined, text)))
    const named = (all: readonly unknown[]) => all.map((answer, i) => [policies[i]?.[0], answer])
    const there = verifyUnderInPython(bytes, registry, texts).map(comparable)
    expect(named(there)).toEqual(named(here))
    const statusesOf = (answer: object) => ('statuses' in answer ? answer.statuses : answer)
    expect(new Set(here.map((answer) => JSON.stringify(statusesOf(answer)))).size).toBe(3)
    const later = '2036-01-01T00:00:00.000Z'
    const { answers } = verifyInPython([bytes], { registry, policy, now: later })
    expect(answers.map(comparable)).toEqual([await inNode(bytes, registry, Date.parse(later), policy)])
    expect(answers[0]?.problems).toHaveLength(1)
  })

  it('are judged by no policy that is none', () => {
    const run = () => verifyInPython([live.bytes], { policy: 'quorum\n' })
    expect(run).toThrow(/0 of 1 answers: .*policy\.txt: line 1/s)
  })
})

/** Changes the first checkpoint, under which are the receipts of blocks 0 to 3 and not that of the revocation. */
function first(change: (text: string) => string): Mutation {
  return checkpoints((text, number) => (number === 0 ? change(text) : text))
}

function relabelled(height: number, change: () => string): Mutation {
  return having('receipt', height, (line) => ({
    ...line,
    receipt: String(line['receipt']).replace(/extra .*\n/, change),
  }))
}

function ofRegistry(change: (text: string) => string): Mutation {
  return (lines) =>
    lines.map((line) =>
      'registryReceipt' in line
        ? { ...line, registryReceipt: change(String(line['registryReceipt'])) }
        : line,
    )
}

function relabelledOfRegistry(change: () => string): Mutation {
  return ofRegistry((text) => text.replace(/extra .*\n/, change))
}

/** The checkpoint that a receipt which nothing asks for may be under. */
function strayed(lines: Parameters<Mutation>[0]): { readonly under: string } {
  return { under: String(lines.find((line) => 'under' in line)?.['under']) }
}

/** Keeps each second signature. */
function onlyEvery(nth: number): (text: string) => string {
  return (text) => {
    let seen = 0
    return text.replace(/— .*\n/g, (line) => (seen++ % nth === 0 ? line : ''))
  }
}

function withoutEvery(nth: number, which: RegExp): (text: string) => string {
  return (text) => {
    let seen = 0
    return text.replace(/— .*\n/g, (line) => (which.test(line) && seen++ % nth === 0 ? '' : line))
  }
}

/** Ed25519's are the short lines. */
function onlyShort(text: string): string {
  return text.replace(/— .{1000,}\n/g, '')
}

/** Changes the last byte of the first signature by keys of a name. */
function spoilt(who: string): (text: string) => string {
  const start = who === 'log' ? 'home' : who
  return (text) =>
    text.replace(new RegExp(`(— ${start}\\S* )(.*)\\n`), (_, before: string, base64: string) => {
      const bytes = fromBase64(base64)
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
      return `${before}${toBase64(bytes)}\n`
    })
}

/** Policies that trust less, or others, each with what it is. */
function policiesLike(policy: string): readonly (readonly [name: string, text: string])[] {
  const lines = policy.split('\n').slice(0, -1)
  const keep = (start: string) => lines.filter((line) => line.startsWith(start))
  const text = (...all: readonly (readonly string[])[]) =>
    all
      .flat()
      .map((line) => `${line}\n`)
      .join('')
  const [logs, witnesses, groups] = [keep('log'), keep('witness'), keep('group')]
  return [
    ['nobody witnesses', text(logs, ['quorum none'])],
    ['nobody witnesses, though some are known', text(logs, witnesses, ['quorum none'])],
    ['only one key of the log, Ed25519', text(logs.slice(0, 1), witnesses, groups, ['quorum quorum'])],
    ['only one key of the log, ML-DSA-44', text(logs.slice(1), witnesses, groups, ['quorum quorum'])],
    ['no log', text(witnesses, groups, ['quorum quorum'])],
    ['one witness, with one key', text(logs, witnesses.slice(0, 1), ['quorum w1-0'])],
    ['one witness, by ML-DSA-44', text(logs, witnesses, ['quorum w1-1'])],
    ['both witnesses', text(logs, witnesses, groups.slice(0, 2), ['group both all w1 w2', 'quorum both'])],
    ['another witness', text(logs, [OTHER_WITNESS], ['quorum stranger'])],
  ]
}

const OTHER_WITNESS =
  'witness stranger witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU'
