// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { parseTlogProof } from '#core/log/tlog-proof.ts'

/** A line of an export file. */
export type Line = Readonly<Record<string, string | number>>
/** What is done to the lines of a file. */
export type Mutation = (lines: readonly Line[]) => readonly Line[]

export const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)

export const fileOf = (lines: readonly Line[]) =>
  utf8(lines.map((line) => `${canonicalize(line)}\n`).join(''))

/** Changes the line of a kind that is of a height; null takes it away. */
export const having =
  (kind: string, of: number, change: (line: Line, lines: readonly Line[]) => Line | null): Mutation =>
  (lines) =>
    lines.flatMap((line) => (kind in line && line['of'] === of ? (change(line, lines) ?? []) : [line]))

/** Changes the receipt of block 1. */
const receipt = (change: (proof: string, lines: readonly Line[]) => string): Mutation =>
  having('receipt', 1, (line, lines) => ({ ...line, receipt: change(String(line['receipt']), lines) }))

const receiptOf = (lines: readonly Line[], height: number): Line =>
  lines.find((line) => 'receipt' in line && line['of'] === height) ?? {}

/** Changes the text of each checkpoint, which its receipts name by what it is then. */
export const checkpoints =
  (change: (text: string, number: number) => string): Mutation =>
  (lines) => {
    const names = new Map<string, string>()
    const changed = lines.map((line) => {
      if (!('checkpoint' in line)) return line
      const before = String(line['checkpoint'])
      const checkpoint = change(before, names.size)
      names.set(digestOf(utf8(before)), digestOf(utf8(checkpoint)))
      return { ...line, checkpoint }
    })
    return changed.map((line) =>
      'under' in line ? { ...line, under: names.get(String(line['under'])) ?? '' } : line,
    )
  }

/** The receipt of a block replaced by another, with the checkpoint that this one is under. */
export function withReceipt(of: number, text: string): Mutation {
  const { note: checkpoint } = parseTlogProof(text)
  const under = digestOf(utf8(checkpoint))
  const proof = text.slice(0, -checkpoint.length)
  return (lines) => [
    ...lines.slice(0, 1),
    { checkpoint },
    ...lines.slice(1).flatMap((line) => {
      if (line['checkpoint'] === checkpoint) return []
      return 'receipt' in line && line['of'] === of ? [{ receipt: proof, of, under }] : [line]
    }),
  ]
}

/** Without what the log says of when the revocations in a file were made. */
export const withoutRegistryReceipts: Mutation = (lines) =>
  lines.filter((line) => !('registryReceipt' in line))

/** Changes of one receipt, of block 1, after each of which it proves nothing. */
export const WRONG_RECEIPTS: readonly (readonly [name: string, mutation: Mutation])[] = [
  ['of another block', receipt((_, lines) => String(receiptOf(lines, 2)['receipt']))],
  ['of another index', receipt((proof) => proof.replace('index ', 'index 1'))],
  ['empty', receipt(() => '')],
  ['of another version', receipt((proof) => proof.replace('v1', 'v2'))],
  // Under a checkpoint of another size the hashes do not add up.
  [
    'under a later checkpoint',
    (lines) => [
      ...having('receipt', 1, () => null)(lines),
      {
        ...receiptOf(lines, 2),
        of: 1,
        under: String(lines.findLast((line) => 'receipt' in line)?.['under']),
      },
    ],
  ],
]

/** Files in which a receipt is under a checkpoint that comes later or never, or stands twice. */
export const MISPLACED: readonly (readonly [name: string, mutation: Mutation])[] = [
  ['a receipt before its checkpoint', ([first = {}, ...rest]) => [first, receiptOf(rest, 0), ...rest]],
  ['a receipt twice', (lines) => [...lines, receiptOf(lines, 0)]],
  ['no checkpoint', (lines) => lines.filter((line) => !('checkpoint' in line))],
]

export const withoutWitnesses = checkpoints((text) => text.replace(/— w\d[^\n]*\n/g, ''))
export const unsigned = checkpoints((text) => text.replace(/— (?!w\d)[^\n]*\n/g, ''))
