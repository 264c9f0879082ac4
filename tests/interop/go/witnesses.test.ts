// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import {
  formatAddCheckpoint,
  MAX_ADD_CHECKPOINT_BYTES,
  parseCosignatures,
  parseSizeBody,
  SIZE_MEDIA_TYPE,
  type AddCheckpoint,
} from '#core/log/add-checkpoint.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { parseCheckpoint } from '#core/log/note/checkpoint.ts'
import { logSigner, parseVerifierKey } from '#core/log/note/key.ts'
import { formatNote, parseNote, withSignatures } from '#core/log/note/note.ts'
import { openCheckpoint, signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { tileReader } from '#core/log/tile/read-tile.ts'
import { consistencyFromTiles } from '#core/log/tile/read.ts'
import { startHome, type LoggingHome } from '../served-log.ts'
import { startWitness, type Running, type Witness } from './programs.ts'
import { describeWithGo } from './software.ts'

/** Blocks that are logged between two checkpoints: each next size makes another proof, over the first full tile too. */
const GROWTH = [3, 1, 7, 240, 20]
/** Answer to a signature that does not verify: c2sp.org/tlog-witness says 403, and omniwitness fails instead. */
const INVALID = { litewitness: 403, omniwitness: 500 }
const sizeOf = (note: string) => parseCheckpoint(parseNote(note).text).size

describeWithGo('witnesses that others wrote', () => {
  let home: LoggingHome
  /** Checkpoints of the log as it grew. */
  const notes: string[] = []
  /** Each with the consistency proof from the one before it. */
  const growth: AddCheckpoint[] = []

  /** The proof that the log of `newer` holds that of `older`, from the log's tiles over HTTP. */
  const consistency = async (older: number, newer: number) => {
    if (older === 0 || older === newer) return []
    const read = async (path: string) => {
      const answer = await fetch(`${home.log.url}${path}`)
      return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null
    }
    return consistencyFromTiles(older, newer, tileReader(read, newer))
  }

  beforeAll(async () => {
    home = await startHome()
    let oldSize = 0
    for (const blocks of GROWTH) {
      await home.add(blocks)
      const note = await home.checkpoint()
      notes.push(note)
      growth.push({ oldSize, hashes: await consistency(oldSize, sizeOf(note)), note })
      oldSize = sizeOf(note)
    }
  })
  afterAll(async () => home.log.close())

  for (const kind of ['litewitness', 'omniwitness'] as const) {
    it(`${kind} cosigns the log as it grows, and its cosignatures verify here`, async () => {
      await withWitness(kind, async (witness) => {
        const cosigners = witness.keys.map(parseVerifierKey)
        expect(growth.map(({ hashes }) => hashes.length > 0)).toEqual(growth.map((_, i) => i > 0))
        for (const asked of growth) {
          const answer = await add(witness, asked)
          expect(answer.status).toBe(200)
          const cosignatures = parseCosignatures(await answer.text())
          const note = formatNote(withSignatures(parseNote(asked.note), cosignatures))
          const keys = { logs: home.keys.map(parseVerifierKey), cosigners }
          const opened = await openCheckpoint(note, keys, createVerifiers())
          expect(opened.cosignatures.map(({ key }) => key)).toEqual(cosigners)
          for (const { time } of opened.cosignatures)
            expect(Math.abs(time - Date.now() / 1000)).toBeLessThan(60)
        }
      })
    })

    it(`${kind} says which size it has, and cosigns the same checkpoint again`, async () => {
      await withWitness(kind, async (witness) => {
        const [first, second] = growth
        if (!first || !second) throw new Error('the log did not grow')
        expect((await add(witness, first)).status).toBe(200)
        const stale = await add(witness, { ...second, oldSize: 0, hashes: [] })
        expect([stale.status, stale.headers.get('content-type')]).toEqual([409, SIZE_MEDIA_TYPE])
        const size = parseSizeBody(await stale.text())
        expect(size).toBe(sizeOf(first.note))
        const newest = notes.at(-1) ?? ''
        const hashes = await consistency(size, sizeOf(newest))
        expect((await add(witness, { oldSize: size, hashes, note: newest })).status).toBe(200)
        expect((await add(witness, { oldSize: sizeOf(newest), hashes: [], note: newest })).status).toBe(200)
      })
    })

    it(`${kind} refuses a wrong proof, a smaller tree, a fork, a changed checkpoint and a log that it does not know`, async () => {
      await withWitness(kind, async (witness) => {
        const [first, second] = growth
        if (!first || !second) throw new Error('the log did not grow')
        expect((await add(witness, first)).status).toBe(200)
        const [hash = new Uint8Array(32), ...rest] = second.hashes
        const wrong = [hash.map((byte) => byte ^ 1), ...rest]
        const { text, signatures } = parseNote(second.note)
        const larger = formatNote({ text: text.replace(/\n\d+\n/, '\n99\n'), signatures })
        const unknown = formatNote({ text: text.replace('home.test', 'elsewhere.test'), signatures })
        const asked: readonly [number, AddCheckpoint][] = [
          [422, { ...second, hashes: wrong }],
          [422, { ...second, hashes: rest }],
          [422, { ...second, hashes: [] }],
          [400, { ...first, oldSize: sizeOf(first.note) + 1 }],
          [INVALID[kind], { ...second, note: larger }],
          [422, { oldSize: sizeOf(first.note), hashes: [], note: await forked(first.note) }],
          [404, { ...second, note: unknown }],
        ]
        for (const [status, each] of asked) expect((await add(witness, each)).status).toBe(status)
        expect((await add(witness, second)).status).toBe(200)
      })
    })
  }

  it('could be asked with the longest proof, as far as bytes go', () => {
    const hashes = Array.from({ length: 63 }, () => new Uint8Array(32))
    const body = formatAddCheckpoint({ oldSize: 1, hashes, note: notes.at(-1) ?? '' })
    // litewitness takes 10 KiB, transparency-dev's 16 KiB.
    expect(body.length).toBeLessThan(10 * 1024)
    expect(MAX_ADD_CHECKPOINT_BYTES).toBe(16 * 1024)
  })

  /** Another tree of the same size, signed by the log itself. */
  async function forked(note: string): Promise<string> {
    const { platform, clock } = home.world
    const checkpoint = { ...parseCheckpoint(parseNote(note).text), root: new Uint8Array(32) }
    const signer = logSigner(checkpoint.origin, 'Ed25519', await platform.signer('log'))
    return formatNote(await signCheckpoint(checkpoint, [signer], Math.floor(clock.now / 1000)))
  }

  async function withWitness(
    kind: 'litewitness' | 'omniwitness',
    use: (witness: Witness) => Promise<void>,
  ): Promise<void> {
    const running: Running<Witness> = await startWitness(kind, 'w.test/other', home.keys[0])
    try {
      await use(running.first)
    } finally {
      await running.stop()
    }
  }
})

/** Posts a request to cosign, c2sp.org/tlog-witness. */
async function add({ url }: Witness, asked: AddCheckpoint): Promise<Response> {
  return fetch(`${url}/add-checkpoint`, { method: 'POST', body: formatAddCheckpoint(asked) })
}
