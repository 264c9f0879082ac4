// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { linkSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { filesWith, makeDataFolder, run } from './processes.ts'

const LARGE = 300_000
const open = (folder: string, beside = false) => openLocal({ folder, passphrase: 'test', beside })
const unfinished = (folder: string) => readdirSync(join(folder, 'objects', 'tmp'))
/** Path of the only file among the large objects. */
const onlyFile = (folder: string) => {
  const found = readdirSync(join(folder, 'objects'), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, 'objects', name))
    .filter((path) => statSync(path).isFile())
  expect(found).toHaveLength(1)
  return found[0] ?? ''
}

describe('large objects', () => {
  it('are whole or absent after a kill at any instant, and nothing unfinished stays', async () => {
    const folder = makeDataFolder()
    const acknowledged: string[] = []
    for (let kill = 0; kill < 3; kill++) {
      const writer = run(`
        import { openLocal } from '#adapters/local/open.ts'
        const objects = openLocal({ folder: ${JSON.stringify(folder)}, passphrase: 'test' }).objects('entries')
        for (let i = 0; i < 10000; i += 4) {
          await Promise.all([0, 1, 2, 3].map(async (j) => {
            const name = 'run-${kill}/' + (i + j)
            await objects.store(name, new Uint8Array(${LARGE} + (i + j)).fill((i + j) % 251))
            console.log(name)
          }))
        }`)
      await writer.printed(5 + kill * 6)
      writer.kill()
      acknowledged.push(...(await writer.ended))
    }
    const platform = open(folder)
    expect(unfinished(folder)).toEqual([])
    expect(acknowledged.length).toBeGreaterThan(30)
    const objects = platform.objects('entries')
    for (const name of acknowledged) {
      const i = Number(name.split('/')[1])
      const bytes = await objects.fetch(name)
      expect({ name, whole: bytes && Buffer.from(bytes).equals(Buffer.alloc(LARGE + i, i % 251)) }).toEqual({
        name,
        whole: true,
      })
    }
    await platform.close()
  }, 20_000)

  it('that are shredded have no second name left by a process that was killed while it stored them', async () => {
    const folder = makeDataFolder()
    const first = open(folder)
    const content = Buffer.alloc(LARGE, 'THIS-OBJECT-MUST-GO ')
    await first.objects('entries').store('c/x', content)
    await first.close()
    linkSync(onlyFile(folder), join(folder, 'objects', 'tmp', 'left'))
    writeFileSync(join(folder, 'objects', 'tmp', 'torn'), content.subarray(0, 1000))
    const second = open(folder)
    expect(unfinished(folder)).toEqual([])
    await second.objects('entries').shred('c/x')
    expect(filesWith(folder, 'THIS-OBJECT-MUST-GO')).toEqual([])
    await second.close()
  })

  it('leave what a process beside the holder is writing alone', async () => {
    const folder = makeDataFolder()
    const holder = open(folder)
    writeFileSync(join(folder, 'objects', 'tmp', 'being-written'), 'x')
    const beside = open(folder, true)
    expect(unfinished(folder)).toEqual(['being-written'])
    await beside.close()
    await holder.close()
  })

  it('leave nothing unfinished behind, stored or found to exist', async () => {
    const folder = makeDataFolder()
    const platform = open(folder)
    const objects = platform.objects('entries')
    const store = () => objects.store('c/x', new Uint8Array(LARGE))
    expect((await Promise.all([store(), store(), store()])).toSorted()).toEqual([
      'exists',
      'exists',
      'stored',
    ])
    expect(unfinished(folder)).toEqual([])
    await platform.close()
  })

  it('that somebody cut off are given as far as they go, for whoever reads them to notice', async () => {
    const folder = makeDataFolder()
    const platform = open(folder)
    await platform.objects('entries').store('c/x', new Uint8Array(LARGE).fill(1))
    truncateSync(onlyFile(folder), 1000)
    expect(await platform.objects('entries').fetch('c/x')).toHaveLength(1000)
    expect(await platform.objects('entries').fetch('c/x', { start: 990, end: 2000 })).toHaveLength(10)
    await platform.close()
  })

  it('keep names apart that differ in case only', async () => {
    const platform = open(makeDataFolder())
    const objects = platform.objects('entries')
    await objects.store('c/X', new Uint8Array(LARGE).fill(1))
    expect(await objects.store('c/x', new Uint8Array(LARGE).fill(2))).toBe('stored')
    expect((await objects.fetch('c/X'))?.[0]).toBe(1)
    await platform.close()
  })
})
