// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { memoryObjects } from '#adapters/memory/objects.ts'
import type { StoreObjects } from '#core/ports/objects.ts'
import type { HomeSource } from '#core/server/copy/source.ts'
import { layeredSource } from '#core/server/copy/layered-source.ts'
import { compareHomes } from '#core/server/compare/compare-homes.ts'
import { parseKeyRow } from '#core/block/key-row.ts'
import { chainsOf } from '#core/server/copy/source.ts'
import { backUp, backupScene, restored, sourceOf, type BackupScene } from './scene.ts'

const SAME = { differences: [], unlisted: 0, erased: 0 }

describe('a backup of a home', () => {
  let scene: BackupScene
  let files: StoreObjects
  let names: string[]

  beforeAll(async () => {
    scene = await backupScene({ largeBytes: 400_000 })
    const inner = memoryObjects()
    names = []
    files = {
      fetch: (name, range) => inner.fetch(name, range),
      store: (name, bytes) => {
        names.push(name)
        return inner.store(name, bytes)
      },
    }
    await backUp(scene, files)
  })

  it('has all that the home has, byte for byte', async () => {
    const found = await compareHomes(scene.source, await sourceOf(files))
    expect(found).toMatchObject(SAME)
    expect(found).toMatchObject({ chains: 4, registryBlocks: 1, logFiles: 2 })
    expect(found.blocks).toBe(found.logSize - 1)
  })

  it('is a beginning, parts, one file for each large object, and last a manifest', () => {
    expect(names[0]).toBe('backup.json')
    expect(names.at(-1)).toBe('manifest.json')
    const kinds = names.slice(1, -1).map((name) => name.split('/')[0])
    expect(kinds).toEqual(['objects', 'parts'])
  })

  it('restores an empty home to what it was, byte for byte, which verifies from end to end', async () => {
    const back = await restored(scene, await sourceOf(files))
    expect(back.findings).toEqual([])
    expect(back.report).toMatchObject({ chains: 4, erasures: 1, unexplained: 0, losses: [] })
    expect(await compareHomes(scene.source, back.source)).toMatchObject(SAME)
  })

  it('is made once: a second run reads nothing and says the same', async () => {
    const first = await backUp(scene, files)
    const silent = {
      checkpoint: () => Promise.reject(new TypeError('nothing is read')),
    } as unknown as HomeSource
    const second = await backUp({ ...scene, source: silent }, files)
    expect(second.report).toEqual(first.report)
    expect(second.report.digest).not.toBeNull()
  })

  it('is the same however small its parts are', async () => {
    const { to, report } = await backUp(scene, memoryObjects(), { partBytes: 1 })
    expect(report.totals.blocks).toBeGreaterThan(8)
    const small = await sourceOf(to)
    expect(await compareHomes(scene.source, small)).toMatchObject(SAME)
    const list: string[] = []
    for await (const chain of chainsOf(small)) list.push(chain)
    expect(list).toEqual(list.toSorted())
    expect((await restored(scene, small)).findings).toEqual([])
  })
})

describe('a backup that is interrupted', () => {
  it('goes on after every step, and reads no block of the home twice', async () => {
    const scene = await backupScene()
    const read = new Map<string, number>()
    const note = (name: string) => read.set(name, (read.get(name) ?? 0) + 1)
    const source: HomeSource = {
      ...scene.source,
      object: (chain, root, max) => {
        note(`${chain}/${root}`)
        return scene.source.object(chain, root, max)
      },
      keyRow: (chain, name) => {
        note(`${chain}/${name}`)
        return scene.source.keyRow(chain, name)
      },
      logFile: (path) => {
        note(path)
        return scene.source.logFile(path)
      },
    }
    const to = memoryObjects()
    let [runs, whole] = [0, false]
    for (; !whole; runs++) {
      let steps = 0
      const { report } = await backUp({ ...scene, source }, to, { partBytes: 1, goesOn: () => steps++ < 1 })
      expect(report.resumed).toBe(runs > 0)
      whole = report.digest !== null
    }
    expect(runs).toBeGreaterThan(10)
    expect([...read.values()].every((times) => times === 1)).toBe(true)
    expect(await compareHomes(scene.source, await sourceOf(to))).toMatchObject(SAME)
  })
})

describe('erasures that were ordered after the backup', () => {
  it('are learned from whoever has the later blocks, and carried out before anything is served', async () => {
    const scene = await backupScene()
    const { to } = await backUp(scene)
    await scene.append('after the backup')
    await scene.erase('erased later')
    const [older, newer] = [await sourceOf(to), scene.source]
    expect(await keysOf(older, scene)).toContain('wrapped')
    const back = await restored(scene, layeredSource(older, newer))
    expect(back.findings).toEqual([])
    expect(back.report).toMatchObject({ erasures: 2, losses: [] })
    expect(await keysOf(back.source, scene)).toEqual(await keysOf(newer, scene))
    expect((await keysOf(back.source, scene)).filter((key) => key === 'erased')).toHaveLength(2)
    expect(await compareHomes(newer, back.source)).toMatchObject(SAME)
  })

  it('show as destroyed in a comparison with the backup, and as nothing else where the home may be later', async () => {
    const scene = await backupScene()
    const { to } = await backUp(scene)
    await scene.erase('erased later')
    const back = await restored(scene, layeredSource(await sourceOf(to), scene.source))
    const found = await compareHomes(await sourceOf(to), back.source, { isLater: true })
    expect(found.erased).toBeGreaterThan(0)
    expect(found.differences).toEqual([])
    const strict = await compareHomes(await sourceOf(to), back.source)
    const parts = new Set(strict.differences.map(({ part }) => part))
    expect(parts).toEqual(new Set(['block', 'row', 'object', 'statements', 'checkpoint', 'log-file']))
  })

  async function keysOf(source: HomeSource, { record }: BackupScene): Promise<readonly string[]> {
    const keys: string[] = []
    for (const name of await rowsOf(source, record)) {
      const row = await source.keyRow(record, name)
      if (row) keys.push(...parseKeyRow(row).keys.map((key) => ('erased' in key ? 'erased' : 'wrapped')))
    }
    return keys
  }
})

async function rowsOf(source: HomeSource, record: BackupScene['record']): Promise<readonly string[]> {
  const names: string[] = []
  for (let from = 0; ;) {
    const { items } = await source.blocks(record, from)
    if (items.length === 0) return names
    for (const compact of items) {
      const { entries } = JSON.parse(Buffer.from(compact.split('.')[1] ?? '', 'base64url').toString()) as {
        entries?: { root: string; keys: string }
      }
      if (entries) names.push(`${entries.root}.${entries.keys}`)
    }
    from += items.length
  }
}
