// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openLocal } from '#adapters/local/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { filesWith, makeDataFolder, makeFolder, run } from './processes.ts'

const open = (folder: string, passphrase = 'test', maxBytes?: number) =>
  openLocal({ folder, passphrase, ...(maxBytes === undefined ? {} : { maxBytes }) })

describe('the local platform', () => {
  it('refuses a wrong passphrase without damaging anything', async () => {
    const folder = makeFolder()
    await open(folder, 'right').close()
    expect(() => open(folder, 'wrong')).toThrow(expect.objectContaining({ code: 'PASSPHRASE_WRONG' }))
    await open(folder, 'right').close()
  })

  it.each([
    [
      'a truncated key file',
      'STORE_CORRUPT',
      'keys.json',
      (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 40)),
    ],
    [
      'a foreign data file',
      'STORE_CORRUPT',
      'ampere.db',
      (file: string) => writeFileSync(file, 'not a database, but long enough to be read as one'.repeat(100)),
    ],
    [
      'data of a newer version',
      'STORE_VERSION',
      'ampere.db',
      (file: string) => {
        const db = new DatabaseSync(file)
        db.exec('PRAGMA user_version = 999')
        db.close()
      },
    ],
  ])('names %s, and gives the folder back', async (_, code, name, damage) => {
    const folder = makeDataFolder()
    await open(folder).close()
    damage(join(folder, name))
    for (let attempt = 0; attempt < 2; attempt++)
      expect(() => open(folder)).toThrow(expect.objectContaining({ code }))
  })

  it('opens without its key file for what needs no key', async () => {
    const folder = makeFolder()
    const platform = openLocal({ folder, passphrase: null })
    expect(await platform.table('blocks').insert('p', 'k', new Uint8Array(1))).toBe('inserted')
    const unavailable = {
      code: 'KEY_UNAVAILABLE',
      message: 'the data folder was opened without its key file',
    }
    await expect(platform.signer('head')).rejects.toMatchObject(unavailable)
    await expect(platform.unwrapper('sealing')).rejects.toMatchObject(unavailable)
    await platform.close()
    expect(readdirSync(folder)).not.toContain('keys.json')
  })

  it('says that the store is full, keeps what it had, and works again with more room', async () => {
    const folder = makeDataFolder()
    const small = open(folder, 'test', 400_000)
    const table = small.table('blocks')
    let stored = 0
    const fill = async () => {
      for (;;) {
        await table.insert('p', String(stored).padStart(4, '0'), new Uint8Array(20_000))
        stored++
      }
    }
    await expect(fill()).rejects.toMatchObject({ code: 'STORE_FULL' })
    await small.close()
    const large = open(folder)
    expect(await large.table('blocks').range('p')).toHaveLength(stored)
    expect(await large.table('blocks').insert('p', 'more', new Uint8Array(20_000))).toBe('inserted')
    await large.close()
  })

  it('keeps what it stores for its owner alone, in a folder that others may look into', async () => {
    const folder = makeDataFolder()
    chmodSync(folder, 0o755)
    const platform = open(folder)
    await platform.table('blocks').insert('p', 'k', new Uint8Array(1))
    await platform.objects('entries').store('large', new Uint8Array(300_000))
    const shared = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
      const { mode, size } = statSync(join(folder, name))
      return size > 0 && (mode & 0o077) !== 0
    })
    if (process.platform !== 'win32') expect(shared).toEqual([])
    await platform.close()
  })

  it('leaves no trace of a swapped key row in any file', async () => {
    const folder = makeDataFolder()
    const platform = open(folder)
    const secret = 'THIS-WRAPPED-KEY-MUST-GO'.repeat(20)
    const version = await platform.table('wraps').swap('p', 'k', null, utf8(secret))
    await platform.table('wraps').swap('p', 'k', version, utf8('tombstone'))
    expect(filesWith(folder, 'WRAPPED-KEY-MUST-GO')).toEqual([])
    await platform.close()
  })

  it('holds, after being killed at any instant, everything that it acknowledged', async () => {
    const folder = makeDataFolder()
    const acknowledged = new Set<string>()
    for (let kill = 0; kill < 10; kill++) {
      for (const key of await insertUntilKilled(folder, `run-${kill}`, 30 + kill * 15)) acknowledged.add(key)
    }
    const platform = open(folder)
    const there = new Set<string>()
    for (let from = ''; ;) {
      const rows = await platform.table('blocks').range('p', { from })
      for (const row of rows) there.add(row.key)
      const last = rows.at(-1)
      if (!last) break
      from = `${last.key}\u0000`
    }
    expect(acknowledged.size).toBeGreaterThan(0)
    expect([...acknowledged].filter((key) => !there.has(key))).toEqual([])
    await platform.close()
  })
})

/** A child process inserts and prints each key after its acknowledgement; it is killed without warning. */
async function insertUntilKilled(
  folder: string,
  prefix: string,
  afterAcks: number,
): Promise<readonly string[]> {
  const program = `
    import { openLocal } from '#adapters/local/open.ts'
    const platform = openLocal({ folder: ${JSON.stringify(folder)}, passphrase: 'test' })
    const table = platform.table('blocks')
    for (let i = 0; ; i += 8) {
      await Promise.all(Array.from({ length: 8 }, async (_, j) => {
        const key = '${prefix}-' + (i + j)
        await table.insert('p', key, new Uint8Array(500))
        process.stdout.write(key + '\\n')
      }))
    }`
  const inserting = run(program)
  await inserting.printed(afterAcks)
  inserting.kill()
  return inserting.ended
}
