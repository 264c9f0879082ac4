// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import type { Digest } from '#core/bytes/ids.ts'
import { compactHash, encodeLeaf, leafLabel, registryLabelKey } from '#core/block/leaf.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import type { LogSigner } from '#core/log/note/key.ts'
import { formatNote } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { inclusionProof } from '#core/log/proof.ts'
import { formatTlogProof } from '#core/log/tlog-proof.ts'
import type { Line } from '#tests/core/client/receipt/export-mutations.ts'
import { LOG } from '../evidence/world.ts'
import { SEED, seededBytes } from '../seeded-bytes.ts'

/** A log of the record that its receipts show, and what a verifier finds. */
export interface TreeCase {
  readonly name: string
  readonly lines: readonly Line[]
  /** By height. */
  readonly statuses: readonly string[]
  /** Height and check of each problem, in order of height. */
  readonly problems: readonly (readonly [height: number, rule: string])[]
}

/** A moment after all blocks, in POSIX seconds. */
const SIGNED_SECONDS = 1_800_000_000

/** Which of the two histories, up to which size, signed how many seconds after that moment. */
type Under = readonly [history: 'one' | 'two', size: number, second?: number]
/** The trees under the receipts of blocks 0 to 5, of block 1 of the registry, and of a block 99 that is not there. */
type Receipts = Readonly<Partial<Record<0 | 1 | 2 | 3 | 4 | 5 | 99 | 'registry', Under>>>

/** Leaves: a stranger's, block 0 to 5, block 1 of the registry, two of strangers. */
const [FIRST, REGISTRY, ALL] = [1, 7, 10]
const EVERY = [0, 1, 2, 3, 4, 5, 'registry'] as const

/** All receipts under one tree, but some. */
function all(under: Under, but: Receipts = {}): Receipts {
  return { ...Object.fromEntries(EVERY.map((of) => [of, under])), ...but }
}

const BLOCKS = [0, 1, 2, 3, 4, 5]
const SPLIT = (...heights: readonly number[]) => heights.map((height) => [height, 'split-view'] as const)

/** Block 6 is not logged yet. Blocks 3 and 4 are by a key that block 1 of the registry revoked. */
const CASES: readonly (readonly [name: string, receipts: Receipts, problems: TreeCase['problems']])[] = [
  ['one tree', all(['one', 9]), []],
  ['one tree that was signed twice', all(['one', 9], { 1: ['one', 9, 2] }), []],
  ['trees of two sizes, one beginning the other', all(['one', 9], { 1: ['one', 8] }), []],
  ['trees of two sizes that receipts cannot tell from such', all(['one', 9], { 1: ['two', 8] }), []],
  ['one tree, said to be signed years before the blocks in it', all(['one', 9, -100_000_000]), BLOCKS.map((height) => [height, 'log-time'] as const)],
  ['another tree under a receipt that no block names', all(['one', 9], { 99: ['two', 9] }), []],
  ['two trees of one size', all(['one', 9], { 1: ['two', 9] }), SPLIT(...BLOCKS)],
  [
    'two trees of one size under two blocks, of another size under the others',
    all(['one', 8], { 1: ['one', 9], 2: ['two', 9] }),
    SPLIT(1, 2),
  ],
  [
    'two trees of each of two sizes',
    all(['one', 8], { 0: ['one', 10], 1: ['two', 8], 2: ['two', 10], 5: ['one', 9] }),
    SPLIT(0, 1, 2, 3, 4),
  ],
  [
    'another tree of one size under the receipt of the registry',
    all(['one', 9], { registry: ['two', 9] }),
    SPLIT(...BLOCKS),
  ],
  [
    'another tree under the receipt of the registry, of a size that one block has',
    all(['one', 8], { 0: ['two', 9], registry: ['one', 9] }),
    SPLIT(0, 3, 4),
  ],
]

/** The cases, with those in which a receipt is wrong or out of order. @param lines of the record without its log */
export async function treeCases(
  lines: readonly Line[],
  registry: Digest,
  signers: readonly LogSigner[],
): Promise<readonly TreeCase[]> {
  const log = histories(lines, registry, signers)
  const made = await Promise.all(
    CASES.map(async ([name, receipts, problems]) => ({ name, lines: await log(receipts), problems })),
  )
  const two = await log(all(['one', 9], { 1: ['two', 9] }))
  const wrong = two.map((line) =>
    line['of'] === 1 && 'receipt' in line ? { ...line, receipt: String(line['receipt']).replace('index 2', 'index 3') } : line,
  )
  const tampered = { name: 'another tree under a receipt that does not verify', lines: wrong }
  const found = [...made, { ...tampered, problems: [[1, 'receipt'] as const] }]
  return found.map(({ name, lines: given, problems }) => ({ name, lines: given, statuses: statusesOf(problems), problems }))
}

function statusesOf(problems: TreeCase['problems']): readonly string[] {
  const words: Readonly<Record<string, string>> = { 'split-view': 'forked', receipt: 'tampered', 'log-time': 'suspect' }
  const logged = ['logged', 'logged', 'logged', 'suspect', 'suspect', 'logged', 'promised']
  return logged.map((status, height) => words[problems.find(([at]) => at === height)?.[1] ?? ''] ?? status)
}

/** Two logs that differ in their first leaf, by the same keys, and the lines of receipts from either. */
function histories(lines: readonly Line[], registry: Digest, signers: readonly LogSigner[]) {
  const random = seededBytes(`${SEED}/trees`)
  const stranger = () => encodeLeaf({ label: random(32), hash: random(32) })
  const textsOf = (member: string) => lines.flatMap((line) => (member in line ? [String(line[member])] : []))
  const blocks = textsOf('block').slice(0, 6).map((block) => encodeLeaf({ label: random(32), hash: compactHash(block) }))
  const label = leafLabel(registryLabelKey(registry), registry, 1)
  const revoking = encodeLeaf({ label, hash: compactHash(textsOf('registryBlock')[1] ?? '') })
  const [first, ...others] = [stranger(), ...blocks, revoking, stranger(), stranger()]
  const entries = { one: [first ?? stranger(), ...others], two: [stranger(), ...others] }
  const leaves = { one: entries.one.map(leafHash), two: entries.two.map(leafHash) }
  const note = async ([history, size, second = 1]: Under) => {
    const root = merkleRoot(leaves[history].slice(0, size))
    return formatNote(await signCheckpoint({ origin: LOG, size, root, extensions: [] }, signers, SIGNED_SECONDS + second))
  }
  const receipt = async (index: number, under: Under) => {
    const [history, size] = under
    const checkpoint = await note(under)
    const hashes = inclusionProof(leaves[history].slice(0, size), index)
    const extra = (entries[history][index] ?? new Uint8Array(0)).slice(1, 33)
    const proof = formatTlogProof({ extra, index, hashes, note: checkpoint }).slice(0, -checkpoint.length)
    return { checkpoint, proof, under: digestOf(utf8(checkpoint)) }
  }
  return async (receipts: Receipts): Promise<readonly Line[]> => {
    const known = new Set<string>()
    const made: Line[] = []
    for (const of of [...EVERY, 99] as const) {
      const given = receipts[of]
      if (!given) continue
      const index = of === 'registry' ? REGISTRY : of === 99 ? ALL - 2 : FIRST + of
      const { checkpoint, proof, under } = await receipt(index, given)
      if (!known.has(under)) made.push({ checkpoint })
      known.add(under)
      made.push(of === 'registry' ? { registryReceipt: proof, of: 1, under } : { receipt: proof, of, under })
    }
    return made
  }
}
