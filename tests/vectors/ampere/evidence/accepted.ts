// SPDX-License-Identifier: Apache-2.0
import {
  evidenceOfBlocks,
  evidenceOfCheckpoints,
  evidenceOfHeads,
  evidenceOfLabels,
  evidenceOfLeafForm,
  evidenceOfOrder,
  evidenceOfPromise,
} from '#core/evidence/build.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { ROLLBACK_MARGIN_MS } from '#core/evidence/heads.ts'
import { BEFORE_BLOCK_MS, BROKEN_AFTER_MS } from '#core/evidence/promise.ts'
import { EMPTY_FRONTIER, extendFrontier } from '#core/log/frontier.ts'
import { inclusionProof, prefixProof } from '#core/log/proof.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { LOG, treeOf, type World } from './world.ts'

const HOUR_MS = 3_600_000

/** One file of each way in which each kind convicts, by name. */
export async function acceptedEvidence(world: World): Promise<Readonly<Record<string, Uint8Array>>> {
  return {
    ...(await headFiles(world)),
    ...(await checkpointFiles(world)),
    ...(await leafFiles(world)),
    ...(await promiseFiles(world)),
  }
}

async function headFiles({ registry, blocks, headOf, otherBlock, timeAt }: World) {
  const of = { origin: ORIGIN, registry }
  const at = (height: number) => blocks[height] ?? ''
  const [fork, now] = [await otherBlock(5), timeAt(10)]
  return {
    'heads-fork': evidenceOfHeads(of, [await headOf(at(5), now), await headOf(fork, now)]),
    'heads-links': evidenceOfHeads(of, [await headOf(fork, now), await headOf(at(8), now)], blocks.slice(6, 9)),
    'heads-rollback': evidenceOfHeads(of, [
      await headOf(at(8), now),
      await headOf(at(7), now + ROLLBACK_MARGIN_MS + 1),
    ]),
  }
}

async function checkpointFiles({ signers, others, logKeys, timeAt }: World) {
  const of = { origin: LOG, log: logKeys }
  const [one, two] = [treeOf(signers, others), treeOf(signers, others.with(3, others[0] ?? new Uint8Array(0)))]
  const now = timeAt(10)
  const index = 3
  const notes = async (small: number, large: number) =>
    [await two.note(small, now), await one.note(large, now + HOUR_MS)] as const
  return {
    'checkpoints-root': evidenceOfCheckpoints(of, await notes(7, 7), { how: 'root' }),
    'checkpoints-prefix': evidenceOfCheckpoints(of, await notes(7, 11), {
      how: 'prefix',
      hashes: prefixProof(one.leaves.slice(0, 11), 7),
    }),
    'checkpoints-prefix-power': evidenceOfCheckpoints(of, await notes(4, 16), {
      how: 'prefix',
      hashes: prefixProof(one.leaves, 4),
    }),
    'checkpoints-leaf': evidenceOfCheckpoints(of, await notes(7, 13), {
      how: 'leaf',
      index,
      leaves: [two.leaves[index] ?? new Uint8Array(0), one.leaves[index] ?? new Uint8Array(0)],
      proofs: [inclusionProof(two.leaves.slice(0, 7), index), inclusionProof(one.leaves.slice(0, 13), index)],
    }),
  }
}

async function leafFiles({ signers, others, logKeys, blocks, entryOf, otherBlock, timeAt }: World) {
  const of = { origin: LOG, log: logKeys }
  const fork = await otherBlock(5)
  const entries = [...others.slice(0, 3), entryOf(5), ...others.slice(3, 5), entryOf(5, fork), entryOf(4)]
  const tree = treeOf(signers, entries)
  const receipt = (index: number) => tree.receipt(index, timeAt(10))
  const logged = async (index: number, block: string = '') => ({ block, receipt: await receipt(index) })
  const entry = async (index: number) => ({ entry: entries[index] ?? new Uint8Array(0), receipt: await receipt(index) })
  return {
    blocks: evidenceOfBlocks(of, [await logged(3, blocks[5]), await logged(6, fork)]),
    labels: evidenceOfLabels(of, [await entry(3), await entry(6)]),
    order: evidenceOfOrder(of, [await logged(3, blocks[5]), await logged(7, blocks[4])]),
    ...(await leafFormFiles({ signers, others, timeAt }, of)),
  }
}

/** A text, nothing, and an entry of another version, each the last leaf of its tree. */
async function leafFormFiles(
  { signers, others, timeAt }: Pick<World, 'signers' | 'others' | 'timeAt'>,
  of: { readonly origin: string; readonly log: readonly string[] },
) {
  const file = async (entry: Uint8Array) => {
    const entries = [...others.slice(0, 6), entry]
    return evidenceOfLeafForm(of, { entry, receipt: await treeOf(signers, entries).receipt(6, timeAt(10)) })
  }
  return {
    'leaf-form': await file(utf8('something else')),
    'leaf-form-empty': await file(new Uint8Array(0)),
    'leaf-form-version': await file((others[6] ?? new Uint8Array(0)).with(0, 2)),
  }
}

async function promiseFiles(world: World) {
  const { signers, others, logKeys, registry, blocks, states, labelKeyAt, entryOf, headOf, timeAt } = world
  const of = { origin: ORIGIN, registry, log: logKeys }
  const entries = [...others.slice(0, 5), ...[0, 1, 2, 3, 4].map((height) => entryOf(height)), ...others.slice(5, 8)]
  const tree = treeOf(signers, entries)
  const file = async (height: number, start: number) => {
    const lacks = height === 0 ? treeOf(signers, others.slice(0, 13)) : tree
    const stated = timeAt(height) + 1000
    const early = timeAt(height) - BEFORE_BLOCK_MS - 1000
    const frontier = extendFrontier(EMPTY_FRONTIER, lacks.leaves.slice(0, start)).hashes
    return evidenceOfPromise(of, {
      head: await headOf(blocks[height] ?? '', stated),
      block: blocks[height] ?? '',
      parent: height === 0 ? null : { block: blocks[height - 1] ?? '', state: states[height - 1] ?? '' },
      labelKey: labelKeyAt(height),
      from: start === 0 ? null : { note: await lacks.note(start, early), frontier },
      to: await lacks.note(13, stated + BROKEN_AFTER_MS + 1000),
      entries: (height === 0 ? others.slice(0, 13) : entries).slice(start),
    })
  }
  return { promise: await file(5, 0), 'promise-from': await file(5, 3), 'promise-genesis': await file(0, 0) }
}
