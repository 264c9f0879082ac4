// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { parseCheckpoint } from '#core/log/note/checkpoint.ts'
import { parseNote } from '#core/log/note/note.ts'
import { decodeBundle } from '#core/log/tile/bundle.ts'
import { bundlesBetween } from '#core/log/tile/extent.ts'
import { bundlePath } from '#core/log/tile/path.ts'
import { pathsOf, serveEntries, startHome, type LoggingHome } from '../served-log.ts'
import { fsck, readEntries } from './programs.ts'
import { describeWithGo } from './software.ts'

/** More than one full tile. */
const BLOCKS = 270
/** Three levels of tiles, the lower two with a partial one. */
const LARGE = 70_000
/** A refusal that gives a reason; that the software did not end is none. */
const REFUSED = { error: expect.stringMatching(/^(?!.*(hangs|deadline))/) }

describeWithGo('the log of a home, read by software of others', () => {
  let home: LoggingHome
  let size: number
  const sizeNow = async () => parseCheckpoint(parseNote(await home.checkpoint()).text).size

  beforeAll(async () => {
    home = await startHome()
    await home.add(BLOCKS)
    size = await sizeNow()
  })
  afterAll(async () => home.log.close())

  it('is whole to Tessera’s fsck, with either of its signatures', async () => {
    expect(size).toBeGreaterThan(BLOCKS)
    const said = await Promise.all(home.keys.map(async (key) => fsck(home.log.url, key)))
    const root = Buffer.from(parseCheckpoint(parseNote(await home.checkpoint()).text).root)
    expect(said).toEqual(home.keys.map(() => ({ size, root: root.toString('base64') })))
  })

  it('gives torchwood’s client every entry that it has, each proved', async () => {
    const all = createHash('sha256')
    for (const bundle of bundlesBetween(0, size)) {
      const bytes = await (await fetch(`${home.log.url}${bundlePath(bundle)}`)).arrayBuffer()
      for (const entry of decodeBundle(new Uint8Array(bytes), bundle.width)) all.update(entry)
    }
    const sha256 = all.digest('hex')
    const said = await Promise.all(home.keys.map(async (key) => readEntries(home.log.url, key)))
    expect(said).toEqual(home.keys.map(() => ({ entries: size, sha256, proof: expect.any(Number) })))
  })

  it('is refused by fsck when one bit of any tile or bundle is another', async () => {
    const [key] = home.keys
    const paths = pathsOf(size)
    expect(paths).toHaveLength(5)
    for (const path of paths) {
      for (const at of [0, 20, -1]) {
        home.log.spoil(path, at)
        expect([path, at, await fsck(home.log.url, key)]).toEqual([path, at, REFUSED])
      }
    }
    home.log.spoil(null)
    expect(await fsck(home.log.url, key)).toMatchObject({ size })
  })

  it('is refused by torchwood’s client when one bit of a bundle or of a tile with leaf hashes is another', async () => {
    const [key] = home.keys
    for (const path of pathsOf(size).filter((each) => !each.startsWith('tile/1/'))) {
      home.log.spoil(path, 40)
      expect([path, await readEntries(home.log.url, key)]).toEqual([path, REFUSED])
    }
    home.log.spoil(null)
  })

  it('is refused by both when one bit of its checkpoint is another', async () => {
    const note = Buffer.from(await home.checkpoint())
    const [text] = note.toString().split('\n\n')
    const end = Buffer.byteLength(text ?? '')
    const [key] = home.keys
    // In the origin, the size, the root and the signature of Ed25519, which is the first.
    const places = [0, Buffer.byteLength(parseCheckpoint(`${text}\n`).origin) + 2, end - 20, end + 80]
    for (const at of places) {
      home.log.spoil('checkpoint', at)
      const said = await Promise.all([fsck(home.log.url, key), readEntries(home.log.url, key)])
      expect([at, ...said]).toEqual([at, REFUSED, REFUSED])
    }
    home.log.spoil(null)
  })

  it('is whole again after it grew', async () => {
    await home.add(3)
    expect(await sizeNow()).toBe(size + 3)
    expect(await fsck(home.log.url, home.keys[1])).toMatchObject({ size: size + 3 })
    expect(await readEntries(home.log.url, home.keys[1])).toMatchObject({ entries: size + 3 })
  })

  it(`is whole at ${LARGE} entries, of which one bit is found`, async () => {
    const entries = Array.from({ length: LARGE }, (_, i) => Buffer.from(`entry ${i}`))
    const { log, key } = await serveEntries(entries)
    expect(await fsck(log.url, key)).toMatchObject({ size: LARGE })
    for (const path of ['tile/2/000.p/1', 'tile/1/001.p/17', 'tile/0/100', 'tile/entries/273.p/112']) {
      log.spoil(path, 9)
      expect([path, await fsck(log.url, key)]).toEqual([path, REFUSED])
    }
    await log.close()
  })
})
