// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { openMemory } from '#adapters/memory/open.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import { leafHash } from '#core/log/merkle.ts'
import { formatNote } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { decodeBundle, encodeBundle } from '#core/log/tile/bundle.ts'
import { bundlesBetween } from '#core/log/tile/extent.ts'
import { EMPTY_EDGE, grow, rootOf } from '#core/log/tile/grow.ts'
import { bundlePath, TILE_WIDTH, tilePath } from '#core/log/tile/path.ts'
import { select } from '#core/ports/needs.ts'
import { copyLog, entriesOf } from '#core/server/copy/copy-log.ts'
import { SLICE_BUNDLES } from '#core/server/copy/log-slice.ts'
import type { HomeSource } from '#core/server/copy/source.ts'
import { copyOf, MIRROR_NEEDS } from '#core/server/mirror/copy-of.ts'
import { signerOf, TIME } from '#tests/core/log/signers.ts'
import { seededRandom } from '#tests/deployment.ts'
import { ENDLESS, endlessLog } from './endless-log.ts'

const ORIGIN = 'home.test/log'
const SLICE = SLICE_BUNDLES * TILE_WIDTH
/** Beside bundles, a slice reads the tiles of one consistency proof. */
const PROOF_TILES = 14
const signers = [await signerOf(ORIGIN, 'Ed25519', 1), await signerOf(ORIGIN, 'cosignature-ML-DSA-44', 2)]
const context = {
  origin: ORIGIN,
  keys: signers.map(({ key }) => key),
  verifiers: createVerifiers(),
  policy: null,
}

async function noteOf(size: number, root: Uint8Array): Promise<string> {
  return formatNote(await signCheckpoint({ origin: ORIGIN, size, root, extensions: [] }, signers, TIME))
}

const entryOf = (index: number) => {
  const entry = new Uint8Array(65)
  new DataView(entry.buffer).setUint32(0, index)
  return entry
}

/** What a log serves once it has published these sizes in turn. */
async function logOf(sizes: readonly number[]) {
  const files = new Map<string, Uint8Array>()
  const notes: string[] = []
  let edge = EMPTY_EDGE
  for (const size of sizes) {
    const entries = Array.from({ length: size - edge.size }, (_, i) => entryOf(edge.size + i))
    for (const { index, width } of bundlesBetween(edge.size, size)) {
      const from = index * TILE_WIDTH
      const all = Array.from({ length: width }, (_, i) => entryOf(from + i))
      files.set(bundlePath({ index, width }), encodeBundle(all))
    }
    const grown = grow(edge, entries.map(leafHash))
    for (const { id, bytes } of grown.tiles) files.set(tilePath(id), bytes)
    ;({ edge } = grown)
    notes.push(await noteOf(size, rootOf(edge)))
  }
  return { files, notes }
}

/** A source that serves a log, and the paths that it was asked for. */
function serving(note: string, file: (path: string) => Uint8Array | null) {
  const asked: string[] = []
  const source = {
    checkpoint: async () => note,
    logFile: async (path: string) => {
      asked.push(path)
      return file(path)
    },
  } as unknown as HomeSource
  return { source, asked, bundles: () => asked.filter((path) => path.startsWith('tile/entries/')) }
}

async function emptyCopy() {
  const platform = openMemory({ now: () => 0, random: seededRandom(7) })
  const ports = await select(platform, { ...MIRROR_NEEDS, keys: {} })
  return copyOf(ports, asDeploymentId('home-1'))
}

/** Lets a copy take so many slices. */
function slices(count: number): () => boolean {
  let taken = 0
  return () => ++taken < count
}

const SIZES = [3 * SLICE + 700, 5 * SLICE + 20] as const
let log: Awaited<ReturnType<typeof logOf>>
const honest = (at: number) => serving(log.notes[at] ?? '', (path) => log.files.get(path) ?? null)

async function expectWhole(to: Awaited<ReturnType<typeof emptyCopy>>, size: number) {
  const entries: Uint8Array[] = []
  for await (const entry of entriesOf(to, size)) entries.push(entry)
  const expected = Array.from({ length: size }, (_, i) => entryOf(i))
  expect(Buffer.concat(entries).equals(Buffer.concat(expected))).toBe(true)
}

beforeAll(async () => {
  log = await logOf(SIZES)
})

describe('a log that is copied in slices', () => {
  it('goes on where it was left, asks for no bundle twice, and finishes the tree that was begun', async () => {
    const to = await emptyCopy()
    const first = honest(0)
    expect(await copyLog(first.source, to, context, slices(2))).toEqual({ checkpoint: null, more: true })
    expect(first.bundles()).toHaveLength(2 * SLICE_BUNDLES)
    // The log has grown meanwhile.
    const second = honest(1)
    expect(await copyLog(second.source, to, context, slices(3))).toMatchObject({
      checkpoint: { size: SIZES[0] },
      more: true,
    })
    expect(first.bundles().filter((path) => second.bundles().includes(path))).toEqual([])
    const third = honest(1)
    expect(await copyLog(third.source, to, context)).toMatchObject({
      checkpoint: { size: SIZES[1] },
      more: false,
    })
    await expectWhole(to, SIZES[1])
    expect(await copyLog(honest(1).source, to, context)).toMatchObject({ more: false })
  })

  it('has the same files in the end, whatever call failed on the way', async () => {
    for (let k = 0, isDone = false; !isDone; k += 5) {
      const to = await emptyCopy()
      let left = k
      const failing = serving(log.notes[0] ?? '', (path) => {
        if (left-- === 0) throw new AmpereError('UPSTREAM_FAILED', 'the home cannot be reached')
        return log.files.get(path) ?? null
      })
      const ended = await copyLog(failing.source, to, context).catch((error: unknown) => error)
      isDone = left >= 0
      if (!isDone) expect(ended).toMatchObject({ code: 'UPSTREAM_FAILED' })
      const again = honest(0)
      await copyLog(again.source, to, context)
      expect(again.bundles().length).toBeLessThanOrEqual(3 * SLICE_BUNDLES + 3)
      await expectWhole(to, SIZES[0])
    }
  })

  it('takes full tiles and bundles in the place of partial ones that are gone', async () => {
    const to = await emptyCopy()
    const pruned = serving(log.notes[0] ?? '', (path) =>
      path.includes('.p/') && !path.startsWith('tile/1/') && !path.startsWith('tile/2/')
        ? null
        : (log.files.get(path) ?? null),
    )
    expect(await copyLog(pruned.source, to, context)).toMatchObject({ checkpoint: { size: SIZES[0] } })
    await expectWhole(to, SIZES[0])
  })

  it('stores nothing of a slice that is no beginning of what was signed, and goes on from before it', async () => {
    const to = await emptyCopy()
    await copyLog(honest(0).source, to, context, slices(1))
    const wrong = bundlePath({ index: SLICE_BUNDLES + 1, width: TILE_WIDTH })
    const hostile = serving(log.notes[0] ?? '', (path) => {
      const bytes = log.files.get(path) ?? null
      if (path !== wrong || !bytes) return bytes
      return encodeBundle(decodeBundle(bytes, TILE_WIDTH).toReversed())
    })
    const message = expect.stringContaining('rule log-forked:')
    await expect(copyLog(hostile.source, to, context)).rejects.toMatchObject({ message })
    expect(await to.objects.log.fetch(wrong)).toBeNull()
    expect(await copyLog(honest(0).source, to, context)).toMatchObject({ more: false })
    await expectWhole(to, SIZES[0])
  })

  it('refuses a smaller tree than the one that was begun, and another one of its size', async () => {
    const to = await emptyCopy()
    await copyLog(honest(1).source, to, context, slices(1))
    const lower = expect.stringContaining('rule log-rolled-back:')
    await expect(copyLog(honest(0).source, to, context)).rejects.toMatchObject({ message: lower })
    const other = serving(await noteOf(SIZES[1], new Uint8Array(32)), () => null)
    const forked = expect.stringContaining('rule log-forked:')
    await expect(copyLog(other.source, to, context)).rejects.toMatchObject({ message: forked })
  })
})

describe('a home that signs a log without end', () => {
  it('has one slice read of entries that do not lead there, and none kept', async () => {
    const to = await emptyCopy()
    const hostile = serving(await noteOf(ENDLESS, new Uint8Array(32)), endlessLog().file)
    const message = expect.stringContaining('rule log-forked:')
    await expect(copyLog(hostile.source, to, context)).rejects.toMatchObject({ message })
    expect(hostile.asked.length).toBeLessThanOrEqual(SLICE_BUNDLES + PROOF_TILES)
    expect(await to.objects.log.fetch(bundlePath({ index: 0, width: TILE_WIDTH }))).toBeNull()
  })

  it('has no more read in a run than that may, also of a tree that proves', async () => {
    const to = await emptyCopy()
    const { root, file } = endlessLog()
    const endless = serving(await noteOf(ENDLESS, root), file)
    expect(await copyLog(endless.source, to, context, slices(3))).toEqual({ checkpoint: null, more: true })
    expect(endless.bundles()).toHaveLength(3 * SLICE_BUNDLES)
    expect(endless.asked.length).toBeLessThanOrEqual(3 * (SLICE_BUNDLES + PROOF_TILES))
  })
})
