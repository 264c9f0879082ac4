// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { makeCheapKeyFile, makeDataFolder, makeFolder, run } from './processes.ts'

const LARGE = 300_000
const disk = makeFolder('ampere-disk-')
const mount = (...options: string[]) =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options.join(','), 'none', disk], { stdio: 'ignore' }).status === 0
const unmount = () => spawnSync('umount', ['-l', disk], { stdio: 'ignore' })
/** Why no small disk can be had here: mounting one takes Linux and root. */
const noDisk = mount('size=4m') ? null : 'no tmpfs can be mounted here'
if (noDisk === null) unmount()
afterAll(() => rmSync(disk, { recursive: true, force: true }))

/** A test on a new disk of 4 MiB. */
function onDisk(name: string, test: () => Promise<void>): void {
  if (noDisk !== null) return it.skip(`${name} (skipped: ${noDisk})`, test)
  it(name, async () => {
    mount('size=4m')
    try {
      await test()
    } finally {
      unmount()
    }
  })
}

const open = (folder: string) => openLocal({ folder, passphrase: 'test' })
const full = { code: 'STORE_FULL', message: 'the data folder is full' }

/** Repeats an act until it fails. */
async function untilRefused(act: (i: number) => Promise<unknown>): Promise<{ done: number; error: unknown }> {
  for (let done = 0; ; done++) {
    try {
      await act(done)
    } catch (error) {
      return { done, error }
    }
  }
}

describe('a disk that is full', () => {
  onDisk('is named, what was acknowledged is kept, and room makes everything work again', async () => {
    const folder = join(disk, 'full')
    const platform = open(folder)
    const { kid } = await platform.signer('head')
    const table = platform.table('blocks')
    const objects = platform.objects('entries')
    const files = await untilRefused((i) => objects.store(`large/${i}`, new Uint8Array(LARGE).fill(i)))
    expect(files).toMatchObject({ error: full, done: expect.any(Number) })
    expect(readdirSync(join(folder, 'objects', 'tmp'))).toEqual([])
    const rows = await untilRefused((i) => table.insert('p', String(i), new Uint8Array(2000).fill(i)))
    expect(rows).toMatchObject({ error: full })
    expect(files.done).toBeGreaterThan(3)
    // To the last byte: a file that is written gets an inode and then no room.
    writeFileSync(join(disk, 'rest'), '')
    const rest = await untilRefused(async (i) =>
      writeFileSync(join(disk, 'rest'), Buffer.alloc(1024), { flag: 'a', mode: i }),
    )
    expect(rest.error).toMatchObject({ code: 'ENOSPC' })
    await expect(platform.signer('instance')).rejects.toMatchObject(full)
    expect((await platform.signer('head')).kid).toBe(kid)
    const check = async (opened: typeof platform) => {
      for (let i = 0; i < files.done; i++) {
        const bytes = await opened.objects('entries').fetch(`large/${i}`)
        expect(bytes && Buffer.from(bytes).equals(Buffer.alloc(LARGE, i))).toBe(true)
      }
      for (let i = 0; i < rows.done; i++)
        expect((await opened.table('blocks').get('p', String(i)))?.value[0]).toBe(i % 256)
    }
    await check(platform)
    rmSync(join(disk, 'rest'))
    await objects.shred('large/0')
    await objects.store('large/0', new Uint8Array(LARGE))
    await objects.shred('large/1')
    await objects.store('large/1', new Uint8Array(LARGE).fill(1))
    await platform.close()
    const again = open(folder)
    await check(again)
    expect((await again.signer('head')).kid).toBe(kid)
    await again.close()
  })

  onDisk('without room for opening what is there says so, and damages nothing', async () => {
    const folder = join(disk, 'data')
    const platform = open(folder)
    await platform.table('blocks').insert('p', 'k', new Uint8Array(1))
    await platform.close()
    const rest = await untilRefused(async () =>
      writeFileSync(join(disk, 'rest'), Buffer.alloc(1024), { flag: 'a' }),
    )
    expect(rest.error).toMatchObject({ code: 'ENOSPC' })
    expect(() => open(folder)).toThrow(expect.objectContaining(full))
    rmSync(join(disk, 'rest'))
    const again = open(folder)
    expect(await again.table('blocks').range('p')).toHaveLength(1)
    await again.close()
  })

  onDisk('cannot be set up on, and says so', async () => {
    const rest = await untilRefused(async () =>
      writeFileSync(join(disk, 'rest'), Buffer.alloc(4096), { flag: 'a' }),
    )
    expect(rest.error).toMatchObject({ code: 'ENOSPC' })
    mkdirSync(join(disk, 'new'))
    expect(() => open(join(disk, 'new'))).toThrow(expect.objectContaining(full))
    rmSync(join(disk, 'rest'))
    await open(join(disk, 'new')).close()
  })
})

describe('a folder that cannot be written', () => {
  const barred = {
    code: 'STORE_UNAVAILABLE',
    message: 'the data folder cannot be written; see its owner and its permissions',
  }

  onDisk('because its disk is read-only is named', async () => {
    await open(join(disk, 'data')).close()
    expect(spawnSync('mount', ['-o', 'remount,ro', disk]).status).toBe(0)
    expect(() => open(join(disk, 'data'))).toThrow(expect.objectContaining(barred))
    expect(() => open(join(disk, 'other'))).toThrow(expect.objectContaining(barred))
  })

  it('because it belongs to somebody else is named', async () => {
    const folder = makeDataFolder()
    await open(folder).close()
    // Root may write everywhere, so that somebody else has to try.
    const isRoot = process.getuid?.() === 0
    chmodSync(folder, 0o555)
    const other = run(
      `
      import { openLocal } from '#adapters/local/open.ts'
      for (const folder of [${JSON.stringify(folder)}, ${JSON.stringify(join(folder, 'new'))}]) {
        try { openLocal({ folder, passphrase: 'test' }); console.log('opened') }
        catch (error) { console.log(error.code + ': ' + error.message) }
      }`,
      isRoot ? { uid: 65_534 } : {},
    )
    const answer = `${barred.code}: ${barred.message}`
    expect(await other.ended).toEqual([answer, answer])
    chmodSync(folder, 0o755)
  })
})

describe('a path', () => {
  it.each(['with spaces', 'Ärztehaus Süd', '患者記録', 'a#b?c%20d&e', "it's 'quoted'", '-dash', 'file:x'])(
    'named %j holds a deployment like any other',
    async (name) => {
      const folder = join(makeFolder(), name)
      mkdirSync(folder)
      makeCheapKeyFile(join(folder, 'keys.json'), 'test')
      const platform = open(folder)
      const { kid } = await platform.signer('instance')
      await platform.table('blocks').insert('p', 'k', new Uint8Array(1))
      await platform.objects('entries').store('large', new Uint8Array(LARGE))
      expect(() => open(folder)).toThrow(expect.objectContaining({ code: 'STORE_LOCKED' }))
      await platform.close()
      expect(readdirSync(folder).toSorted()).toEqual(
        ['ampere.db', 'keys.json', 'keys.json.lock', 'lock.db', 'objects'].toSorted(),
      )
      const again = open(folder)
      expect((await again.signer('instance')).kid).toBe(kid)
      expect(await again.table('blocks').range('p')).toHaveLength(1)
      expect(await again.objects('entries').fetch('large')).toHaveLength(LARGE)
      await again.close()
    },
  )
})
