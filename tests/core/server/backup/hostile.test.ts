// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { memoryObjects } from '#adapters/memory/objects.ts'
import { canonicalBytes, parseCanonical } from '#core/bytes/canonical-json.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { openBackup } from '#core/server/backup/part-reader.ts'
import { partName } from '#core/server/backup/format/manifest.ts'
import { decodePart, encodePart, type Part } from '#core/server/backup/format/part.ts'
import { chainsOf } from '#core/server/copy/source.ts'
import type { ShredObjects } from '#core/ports/objects.ts'
import { backUp, backupScene, restored, sourceOf, type BackupScene } from './scene.ts'

const DAMAGED = { code: 'STORE_CORRUPT' }

describe('a backup that was changed', () => {
  let scene: BackupScene
  let whole: ShredObjects
  let parts = 0

  beforeAll(async () => {
    scene = await backupScene()
    whole = (await backUp(scene, memoryObjects(), { partBytes: 8_000 })).to as ShredObjects
    parts = (await openBackup(whole)).manifest.parts.length
    expect(parts).toBeGreaterThan(3)
  })

  it.each(['backup.json', 'manifest.json', partName(0), partName(1)])(
    'is refused when %s is cut, lacks, or has one bit that differs',
    async (name) => {
      const bytes = (await whole.fetch(name)) ?? new Uint8Array(0)
      const flipped = bytes.slice()
      flipped[bytes.length >> 1] = (flipped[bytes.length >> 1] ?? 0) ^ 1
      for (const instead of [bytes.slice(0, -1), flipped, new Uint8Array(0)])
        await expect(read(replaced({ [name]: instead }))).rejects.toMatchObject(DAMAGED)
      const gone = name === 'backup.json' ? { code: 'NOT_FOUND' } : DAMAGED
      await expect(read(replaced({ [name]: null }))).rejects.toMatchObject(gone)
    },
  )

  it('is refused with two parts in the place of each other, and with one of another backup', async () => {
    const [first, second] = [await whole.fetch(partName(0)), await whole.fetch(partName(1))]
    const swapped = replaced({ [partName(0)]: second, [partName(1)]: first })
    await expect(read(swapped)).rejects.toMatchObject(DAMAGED)
    scene.world.clock.now += 1000
    const other = (await backUp(scene, memoryObjects(), { partBytes: 8_000 })).to
    const mixed = replaced({ [partName(0)]: await other.fetch(partName(0)) })
    await expect(read(mixed)).rejects.toMatchObject(DAMAGED)
    const manifest = replaced({ 'manifest.json': await other.fetch('manifest.json') })
    await expect(read(manifest)).rejects.toMatchObject(DAMAGED)
  })

  it('restores nothing that was not signed, also where its manifest names what was changed', async () => {
    const forged = await remade(({ kind, bytes, ...item }) => {
      const other = bytes.slice()
      if (kind === 'row') other[other.length - 20] = (other[other.length - 20] ?? 0) ^ 1
      return [{ kind, ...item, bytes: other }]
    })
    await expect(restored(scene, await sourceOf(forged))).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
    })
  })

  it('restores nothing when it leaves a chain out, or the end of one, and its manifest says that it is whole', async () => {
    const without = await remade((item) => (item.name.startsWith(scene.other) ? [] : [item]))
    const refused = { code: 'VERIFICATION_FAILED' }
    await expect(restored(scene, await sourceOf(without))).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('rule withheld'),
    })
    const heights = (await scene.source.blocks(scene.record, 0)).items.length
    const cut = await remade((item) =>
      item.name === `${scene.record}/${heights - 1}` && item.kind === 'block' ? [] : [item],
    )
    await expect(restored(scene, await sourceOf(cut))).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('rule tail'),
    })
  })

  it('reads and writes no other name than its own, whatever its items are called', async () => {
    const asked: string[] = []
    const forged = await remade((item) => [{ ...item, name: `../../../etc/${item.name}` }])
    const source = await sourceOf({
      ...forged,
      fetch: (name, range) => {
        asked.push(name)
        return forged.fetch(name, range)
      },
    })
    await expect(source.chains(null)).rejects.toMatchObject(DAMAGED)
    expect(await source.logFile('tile/entries/000')).toBeNull()
    expect(await source.object(scene.record, digestOf(utf8('')), 1)).toBeNull()
    await expect(restored(scene, source)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    const own = /^(backup\.json|manifest\.json|parts\/\d{12}|objects\/[0-9a-f]{2}\/[0-9a-f]{64})$/
    expect(asked.filter((name) => !own.test(name))).toEqual([])
  })

  it('is not gone on with where a part is another one, and not begun over a backup of another home', async () => {
    const half = memoryObjects()
    let steps = 0
    await backUp(scene, half, { partBytes: 1, goesOn: () => steps++ < 3 })
    const other = memoryObjects()
    await other.store('backup.json', (await half.fetch('backup.json')) ?? utf8(''))
    await other.store(partName(0), (await half.fetch(partName(1))) ?? utf8(''))
    await expect(backUp(scene, other)).rejects.toMatchObject(DAMAGED)
    const begin = parseCanonical((await half.fetch('backup.json')) ?? utf8('')) as Record<string, unknown>
    const foreign = memoryObjects()
    await foreign.store('backup.json', canonicalBytes({ ...begin, origin: 'http://other.test' }))
    await expect(backUp(scene, foreign)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    scene.world.clock.now += 31 * 86_400_000
    await expect(backUp(scene, half)).rejects.toMatchObject({ code: 'GONE' })
    scene.world.clock.now -= 31 * 86_400_000
  })

  it('is refused when a newer software made it', async () => {
    const newer = replaced({ 'backup.json': canonicalBytes({ v: 2 }) })
    await expect(read(newer)).rejects.toMatchObject({ code: 'STORE_VERSION' })
  })

  /** Reads every part. */
  async function read(files: ShredObjects): Promise<void> {
    const source = await sourceOf(files)
    for await (const chain of chainsOf(source)) await source.erased(chain)
    await source.logFile('tile/entries/000')
    await source.registryBlocks(0)
  }

  /** The backup with other bytes under some names. */
  function replaced(instead: Readonly<Record<string, Uint8Array | null>>): ShredObjects {
    return {
      ...whole,
      fetch: async (name, range) => (name in instead ? (instead[name] ?? null) : whole.fetch(name, range)),
    }
  }

  /** A backup with other items, whose parts and manifest agree. */
  async function remade(change: (item: Part['items'][0]) => Part['items'][0][]): Promise<ShredObjects> {
    const to = memoryObjects()
    const { manifest } = await openBackup(whole)
    const listed: (typeof manifest.parts)[0][] = []
    for (const [i, { from }] of manifest.parts.entries()) {
      const part = decodePart((await whole.fetch(partName(i))) ?? new Uint8Array(0))
      const before = listed.at(-1)?.hash ?? null
      const bytes = encodePart({ ...part, before, items: part.items.flatMap(change) })
      await to.store(partName(i), bytes)
      listed.push({ bytes: bytes.length, hash: digestOf(bytes), from })
    }
    await to.store('backup.json', (await whole.fetch('backup.json')) ?? utf8(''))
    await to.store('manifest.json', canonicalBytes({ ...manifest, parts: listed }))
    return to
  }
})
