// SPDX-License-Identifier: Apache-2.0
import { leafHash, nodeHash } from '#core/log/merkle.ts'
import { decodeBundle, encodeBundle } from '#core/log/tile/bundle.ts'
import { TreeCheck } from '#core/log/tile/check.ts'
import { bundlesBetween } from '#core/log/tile/extent.ts'
import { EMPTY_EDGE, grow, rootOf } from '#core/log/tile/grow.ts'
import { tilePath } from '#core/log/tile/path.ts'
import { tileReader, type FetchPath } from '#core/log/tile/read-tile.ts'
import { inclusionFromTiles, inclusionsFromTiles } from '#core/log/tile/read.ts'
import { cpuMicros, figure, inTurn, perSecond, ratios, ROUNDS, type Bench } from '../measure.ts'

const LEAVES = 100_000
/** What a sequencer takes at once. */
const BATCH = 1000
const ENTRY_BYTES = 65
const SINGLE_PROOFS = 100

export const bench: Bench = {
  question: 'How fast does the tree of a log grow, how fast is it checked, how fast are proofs made?',
  run: async () => {
    const entries = Array.from({ length: LEAVES }, (_, i) => entryOf(i))
    const leaves = entries.map(leafHash)
    const files = new Map<string, Uint8Array>()
    growAll(leaves, files)
    const fetch: FetchPath = (path) => Promise.resolve(files.get(path) ?? null)
    const bundles = [...bundlesBetween(0, LEAVES)].map(({ index, width }) =>
      encodeBundle(entries.slice(index * 256, index * 256 + width)),
    )
    const newest = Array.from({ length: BATCH }, (_, i) => LEAVES - BATCH + i)
    const readTile = tileReader(fetch, LEAVES)
    const samples = await inTurn({
      grow: () => Promise.resolve(growAll(leaves, new Map())),
      nodes: () => Promise.resolve(leaves.forEach((leaf) => nodeHash(leaf, leaf))),
      check: () => checkAll(bundles, fetch),
      hashes: () =>
        Promise.resolve(entries.forEach((entry, i) => nodeHash(leafHash(entry), leaves[i] ?? entry))),
      batch: () => inclusionsFromTiles(newest, LEAVES, readTile),
      single: async () => {
        for (const index of newest.slice(0, SINGLE_PROOFS)) await inclusionFromTiles(index, LEAVES, readTile)
      },
    })
    const rate = (name: 'grow' | 'nodes' | 'check' | 'hashes') => perSecond(LEAVES, samples[name])
    return {
      sizes: `${LEAVES} leaves in batches of ${BATCH}, entries of ${ENTRY_BYTES} bytes, tiles in memory; ${ROUNDS} rounds`,
      figures: [
        figure('grow: tiles and root of every batch, from leaf hashes', 'leaves/s', rate('grow')),
        figure('floor: as many node hashes', 'leaves/s', rate('nodes')),
        figure('ratio to the floor', '', ratios(rate('grow'), rate('nodes')), { atLeast: 0.4 }),
        figure('check: decode bundles, hash entries, compare tiles', 'leaves/s', rate('check')),
        figure('floor: as many leaf and node hashes', 'leaves/s', rate('hashes')),
        figure('ratio to the floor', '', ratios(rate('check'), rate('hashes')), { atLeast: 0.5 }),
        figure('CPU per leaf grown', 'us', cpuMicros(LEAVES, samples.grow)),
        figure('CPU per leaf checked', 'us', cpuMicros(LEAVES, samples.check)),
        figure(`inclusion proofs, ${BATCH} at once`, 'proofs/s', perSecond(BATCH, samples.batch)),
        figure('inclusion proofs, one by one', 'proofs/s', perSecond(SINGLE_PROOFS, samples.single)),
      ],
      doesNotShow: 'storing and fetching tiles, signing checkpoints, reading the chains behind the entries.',
    }
  },
}

function growAll(leaves: readonly Uint8Array[], files: Map<string, Uint8Array>): void {
  let edge = EMPTY_EDGE
  while (edge.size < leaves.length) {
    const grown = grow(edge, leaves.slice(edge.size, edge.size + BATCH))
    for (const { id, bytes } of grown.tiles) files.set(tilePath(id), bytes)
    edge = grown.edge
    rootOf(edge)
  }
}

async function checkAll(bundles: readonly Uint8Array[], fetch: FetchPath): Promise<void> {
  const check = new TreeCheck(fetch, LEAVES)
  for (const bundle of bundles) {
    const width = Math.min(256, LEAVES - check.edge.size)
    const flaws = await check.add(decodeBundle(bundle, width).map(leafHash))
    if (flaws.length > 0) throw new Error('a tile is not what growing wrote')
  }
}

/** As long as the leaf of a block, and no two alike. */
function entryOf(index: number): Uint8Array {
  const entry = new Uint8Array(ENTRY_BYTES).fill(1)
  new DataView(entry.buffer).setUint32(1, index)
  return entry
}
