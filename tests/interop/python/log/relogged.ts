// SPDX-License-Identifier: Apache-2.0
import { compactHash, encodeLeaf, leafLabel, registryLabelKey } from '#core/block/leaf.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDigest, type Digest } from '#core/bytes/ids.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { signCheckpointText, signSubtree } from '#core/log/note/cosignature.ts'
import { formatVerifierKey, type LogSigner } from '#core/log/note/key.ts'
import { formatNote, withSignatures } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { inclusionProof } from '#core/log/proof.ts'
import { formatTlogProof } from '#core/log/tlog-proof.ts'
import type { Line } from '#tests/core/client/receipt/export-mutations.ts'
import { signerOf } from '#tests/core/log/signers.ts'

const LOG = 'home.test/log'
const KEYS = await Promise.all([
  signerOf(LOG, 'Ed25519', 1),
  signerOf(LOG, 'cosignature-ML-DSA-44', 1),
  signerOf('w1.test/witness', 'cosignature-Ed25519', 2),
  signerOf('w2.test/witness', 'cosignature-ML-DSA-44', 3),
])
const LOG_KEYS = KEYS.slice(0, 2)
const WITNESSES = KEYS.slice(2)

/** Policies with the keys of this log and its two witnesses: of which nobody, either, both, or the second must cosign. */
export const POLICIES: readonly string[] = [
  'quorum none',
  'group either any w-0 w-1\nquorum either',
  'group both all w-0 w-1\nquorum both',
  'quorum w-1',
].map((quorum) =>
  [
    ...LOG_KEYS.map(({ key }) => `log ${formatVerifierKey(key)}`),
    ...WITNESSES.map(({ key }, i) => `witness w-${i} ${formatVerifierKey(key)}`),
    `${quorum}\n`,
  ].join('\n'),
)

/** What is drawn: an integer from 0 to below `end`. */
export type Draw = (end: number) => number

interface Logged {
  readonly kind: 'receipt' | 'registryReceipt'
  readonly of: number
  readonly label: Uint8Array
  readonly leaf: Uint8Array
}

/**
 * The lines of an export with other receipts: as if a home that keeps no promise had logged its blocks in any order,
 * some or none of them, under two checkpoints, cosigned by whom and when it was drawn, and in some files had a second
 * history with another leaf. All of it verifies.
 * @param times POSIX seconds that witnesses and the log may state; 0 is stated with ML-DSA-44 alone, and by witnesses
 */
export async function relogged(
  lines: readonly Line[],
  times: readonly number[],
  draw: Draw,
): Promise<readonly Line[]> {
  const [first = {}, ...rest] = lines.filter((line) => !('under' in line || 'checkpoint' in line))
  const entries = shuffled(entriesOf(rest, asDigest(String(first['registry']))), draw)
  const size = draw(entries.length + 1)
  const trees = [Math.min(size, draw(entries.length + 1)), size].filter((leaves) => leaves > 0)
  const honest = entries.map(({ leaf }) => leaf)
  const forkAt = draw(entries.length * 3)
  const forked = honest.map((leaf, i) => (i === forkAt ? leafHash(new Uint8Array(65)) : leaf))
  const receipts: Line[] = []
  const known = new Map<string, string>()
  for (const [index, { kind, of, label }] of entries.entries()) {
    const under = trees.find((leaves) => index < leaves)
    if (under === undefined) continue
    // In the other history the block is not there; of most sizes only one of the two is shown.
    const isOther = forkAt < under && index !== forkAt && draw(3) === 0
    const tree = (isOther ? forked : honest).slice(0, under)
    const name = `${under} ${isOther}`
    const note = known.get(name) ?? (await checkpointOf(tree, times, draw))
    if (!known.has(name)) receipts.push({ checkpoint: note })
    known.set(name, note)
    const text = formatTlogProof({ extra: label, index, hashes: inclusionProof(tree, index), note })
    receipts.push({ [kind]: text.slice(0, -note.length), of, under: digestOf(utf8(note)) })
  }
  return [first, ...receipts, ...rest]
}

/** What may be logged of the blocks in a file: nothing tells a verifier without label keys what a block's label is. */
function entriesOf(lines: readonly Line[], registry: Digest): readonly Logged[] {
  const of = (member: 'block' | 'registryBlock', labelKey: Uint8Array): Logged[] =>
    lines
      .flatMap((line) => (member in line ? String(line[member]) : []))
      .map((compact, height) => {
        const label = leafLabel(labelKey, registry, height)
        const leaf = leafHash(encodeLeaf({ label, hash: compactHash(compact) }))
        return { kind: member === 'block' ? 'receipt' : 'registryReceipt', of: height, label, leaf }
      })
  return [...of('block', new Uint8Array(32)), ...of('registryBlock', registryLabelKey(registry))]
}

async function checkpointOf(
  tree: readonly Uint8Array[],
  times: readonly number[],
  draw: Draw,
): Promise<string> {
  const [size, root] = [tree.length, merkleRoot(tree)]
  const statedAt = Math.max(times[draw(times.length)] ?? 0, 1)
  const signed = await signCheckpoint({ origin: LOG, size, root, extensions: [] }, LOG_KEYS, statedAt)
  const cosign = (signer: LogSigner) => {
    const time = times[draw(times.length)] ?? 0
    if (time > 0) return signCheckpointText(signer, signed.text, time)
    if (signer.key.type === 'cosignature-Ed25519') return signCheckpointText(signer, signed.text, 1)
    return signSubtree(signer, { origin: LOG, start: 0, end: size, hash: root }, 0)
  }
  const cosigned = await Promise.all(WITNESSES.filter(() => draw(5) > 0).map(cosign))
  return formatNote(withSignatures(signed, cosigned))
}

/** Mostly in order: two of the items change places, or all do, or none. */
function shuffled<Item>(items: readonly Item[], draw: Draw): readonly Item[] {
  const all = [...items]
  const swaps = [0, 1, 2, all.length][draw(4)] ?? 0
  for (let i = 0; i < swaps; i++) {
    const [a, b] = [draw(all.length), draw(all.length)]
    ;[all[a], all[b]] = [all[b] as Item, all[a] as Item]
  }
  return all
}
