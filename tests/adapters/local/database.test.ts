// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { localObjects } from '#adapters/local/objects.ts'
import { openDatabase, type Database } from '#adapters/local/store/database.ts'
import { openObjectFiles } from '#adapters/local/store/object-files.ts'
import { localTable } from '#adapters/local/table.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { isAmpereError } from '#core/errors.ts'
import { filesWith, makeFolder, run } from './processes.ts'

const newFile = () => join(makeFolder(), 'ampere.db')

/** Transactions in the write-ahead log: frames that commit (sqlite.org/fileformat2.html section 4.1). */
function commitsIn(file: string): number {
  const wal = readFileSync(`${file}-wal`)
  if (wal.length === 0) return 0
  const pageBytes = wal.readUInt32BE(8)
  let commits = 0
  for (let at = 32; at + 24 + pageBytes <= wal.length; at += 24 + pageBytes)
    if (wal.readUInt32BE(at + 4) !== 0) commits++
  return commits
}

describe('group commit', () => {
  it('makes one transaction of the acts of one turn, in their order', async () => {
    const file = newFile()
    const database = openDatabase(file)
    const table = localTable(database, 'blocks')
    const before = commitsIn(file)
    const outcomes = Array.from({ length: 50 }, (_, i) => table.insert('p', String(i % 25), Uint8Array.of(i)))
    expect((await Promise.all(outcomes)).slice(0, 25)).toEqual(Array.from({ length: 25 }, () => 'inserted'))
    expect(commitsIn(file) - before).toBe(1)
    expect((await table.range('p')).every((row) => (row.value[0] ?? 99) < 25)).toBe(true)
    await table.insert('p', 'another turn', new Uint8Array(1))
    expect(commitsIn(file) - before).toBe(2)
    await database.close()
  })

  it('undoes an act that throws, and no other of its group', async () => {
    const database = openDatabase(newFile())
    const table = localTable(database, 'blocks')
    const add = (key: string) => (sql: Parameters<Parameters<Database['write']>[0]>[0]) =>
      sql('INSERT INTO rows VALUES (?, ?, ?, 1, ?)').run('blocks', 'p', key, new Uint8Array(1))
    const results = await Promise.allSettled([
      database.write(add('first')),
      database.write((sql) => {
        add('undone')(sql)
        throw new RangeError('thought better of it')
      }),
      database.write(add('last')),
    ])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: expect.any(RangeError) })
    expect((await table.range('p')).map((row) => row.key)).toEqual(['first', 'last'])
    await database.close()
  })

  it('rejects every act of a group that does not commit, and leaves none of it', async () => {
    const file = newFile()
    const database = openDatabase(file, { patienceMs: 30 })
    const table = localTable(database, 'blocks')
    const other = new DatabaseSync(file)
    other.exec('BEGIN IMMEDIATE')
    const acts = ['a', 'b', 'c'].map((key) => table.insert('p', key, new Uint8Array(1)))
    const results = await Promise.allSettled(acts)
    expect(results.map((result) => result.status === 'rejected' && result.reason.code)).toEqual(
      ['a', 'b', 'c'].map(() => 'STORE_LOCKED'),
    )
    other.exec('ROLLBACK')
    expect(await table.range('p')).toEqual([])
    expect(await table.insert('p', 'a', new Uint8Array(1))).toBe('inserted')
    other.close()
    await database.close()
  })

  it('waits for a process beside it that is writing, and does not hold up the others meanwhile', async () => {
    const file = newFile()
    const database = openDatabase(file)
    const table = localTable(database, 'blocks')
    const other = new DatabaseSync(file)
    other.exec('BEGIN IMMEDIATE')
    const waiting = table.insert('p', 'k', new Uint8Array(1))
    expect(await table.get('p', 'k')).toBeNull()
    await new Promise(setImmediate)
    await new Promise(setImmediate)
    expect(await table.get('p', 'k')).toBeNull()
    other.exec('COMMIT')
    expect(await waiting).toBe('inserted')
    other.close()
    await database.close()
  })

  it('finishes what was asked before it closes, and refuses what is asked after', async () => {
    const file = newFile()
    const database = openDatabase(file)
    const last = localTable(database, 'blocks').insert('p', 'k', new Uint8Array(1))
    await database.close()
    expect(await last).toBe('inserted')
    const late = localTable(database, 'blocks').insert('p', 'late', new Uint8Array(1))
    await expect(late).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await expect(localTable(database, 'blocks').get('p', 'k')).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    })
    await database.close()
    const again = openDatabase(file)
    expect(await localTable(again, 'blocks').range('p')).toHaveLength(1)
    await again.close()
  })
})

describe('what was overwritten', () => {
  const SECRET = 'THIS-WRAPPED-KEY-MUST-GO'
  const swapSecret = async (table: ReturnType<typeof localTable>) => {
    const version = await table.swap('p', 'k', null, utf8(SECRET.repeat(20)))
    return () => table.swap('p', 'k', version, utf8('tombstone'))
  }

  it('is gone from every file once a process is opened after one that was killed before it had scrubbed', async () => {
    const folder = makeFolder()
    const file = join(folder, 'ampere.db')
    const killed = run(`
      import { openDatabase } from '#adapters/local/store/database.ts'
      const database = openDatabase(${JSON.stringify(file)})
      const put = (text) => (sql) =>
        sql("INSERT OR REPLACE INTO rows VALUES ('wraps', 'p', 'k', 1, ?)").run(new TextEncoder().encode(text))
      await database.write(put('${SECRET}'.repeat(20)))
      await database.write(put('tombstone'))
      process.kill(process.pid, 'SIGKILL')`)
    await killed.ended
    expect(filesWith(folder, SECRET)).toEqual(['ampere.db-wal'])
    const database = openDatabase(file)
    expect(filesWith(folder, SECRET)).toEqual([])
    expect((await localTable(database, 'wraps').get('p', 'k'))?.value).toEqual(utf8('tombstone'))
    await database.close()
  })

  it('goes with the next write when a reader beside was in the way, and the writer is told', async () => {
    const folder = makeFolder()
    const file = join(folder, 'ampere.db')
    const database = openDatabase(file, { patienceMs: 30 })
    const table = localTable(database, 'wraps')
    const overwrite = await swapSecret(table)
    const reader = new DatabaseSync(file)
    reader.exec('BEGIN; SELECT * FROM rows')
    await expect(overwrite()).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    expect((await table.get('p', 'k'))?.value).toEqual(utf8('tombstone'))
    expect(filesWith(folder, SECRET)).not.toEqual([])
    reader.exec('COMMIT')
    reader.close()
    await localTable(database, 'blocks').insert('p', 'anything', new Uint8Array(1))
    expect(filesWith(folder, SECRET)).toEqual([])
    await database.close()
  })
})

describe('a write-ahead log that a killed process left', () => {
  it('is read when the database is opened again', async () => {
    const file = newFile()
    const killed = run(`
      import { openDatabase } from '#adapters/local/store/database.ts'
      import { localTable } from '#adapters/local/table.ts'
      const table = localTable(openDatabase(${JSON.stringify(file)}), 'blocks')
      for (let i = 0; i < 30; i++) await table.insert('p', String(i), new Uint8Array(100))
      process.kill(process.pid, 'SIGKILL')`)
    await killed.ended
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
    // A last frame that was half written does not count, and does not hinder.
    truncateSync(`${file}-wal`, statSync(`${file}-wal`).size - 100)
    const database = openDatabase(file)
    const rows = await localTable(database, 'blocks').range('p')
    expect(rows.length).toBe(29)
    await database.close()
  })
})

describe('a damaged database', () => {
  const filled = async () => {
    const file = newFile()
    const database = openDatabase(file)
    const table = localTable(database, 'blocks')
    const files = openObjectFiles(join(file, '../objects'))
    const objects = localObjects(database, files, 'entries')
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => table.insert('p', String(i), new Uint8Array(900).fill(i))),
    )
    for (let i = 0; i < 5; i++) await objects.store(String(i), new Uint8Array(9000).fill(i))
    await database.close()
    return { file, files }
  }
  /** Uses everything once; says how it ended. */
  const outcomeOf = async (file: string, files: ReturnType<typeof openObjectFiles>) => {
    let database: Database | null = null
    try {
      database = openDatabase(file)
      const table = localTable(database, 'blocks')
      const rows = await table.range('p')
      for (let i = 0; i < 60; i++) await table.get('p', String(i))
      const objects = localObjects(database, files, 'entries')
      for (let i = 0; i < 5; i++) await objects.fetch(String(i))
      await table.insert('q', 'k', new Uint8Array(5000))
      await table.swap('p', '7', rows.find((row) => row.key === '7')?.version ?? null, new Uint8Array(2000))
      return 'used'
    } catch (error) {
      return isAmpereError(error) ? error.code : `OTHER ERROR ${String(error)}`
    } finally {
      await database?.close().catch(() => null)
    }
  }

  it('fails with a code of ours or not at all, whatever bit of it flips', async () => {
    const { file, files } = await filled()
    const good = readFileSync(file)
    const copy = join(makeFolder(), 'copy.db')
    const seen = new Set<string>()
    // Half of the runs in the first pages and the heads of others, where the structure is.
    const bit = fc.oneof(
      fc.nat(good.length * 8 - 1),
      fc.nat(4 * 4096 * 8 - 1),
      fc.tuple(fc.nat(good.length / 4096 - 1), fc.nat(64 * 8 - 1)).map(([page, at]) => page * 32_768 + at),
    )
    await fc.assert(
      fc.asyncProperty(bit, async (at) => {
        const flipped = Buffer.from(good)
        flipped[at >> 3] = (flipped[at >> 3] ?? 0) ^ (1 << (at & 7))
        writeFileSync(copy, flipped)
        const outcome = await outcomeOf(copy, files)
        seen.add(outcome)
        expect(outcome).toMatch(/^(used|STORE_CORRUPT|STORE_VERSION|STORE_UNAVAILABLE|STORE_FULL)$/)
      }),
      { numRuns: 150 },
    )
    expect([...seen]).toEqual(expect.arrayContaining(['used', 'STORE_CORRUPT']))
  }, 30_000)

  it('is named when it was cut off, wherever', async () => {
    const { file, files } = await filled()
    const copy = join(makeFolder(), 'copy.db')
    const { size } = statSync(file)
    for (const length of [50, 100, 2000, 4096, 6000, Math.floor(size / 2), size - 4096, size - 1]) {
      copyFileSync(file, copy)
      truncateSync(copy, length)
      expect({ length, outcome: await outcomeOf(copy, files) }).toEqual({ length, outcome: 'STORE_CORRUPT' })
    }
  })

  it('of a newer version is left as it is, byte for byte', async () => {
    const { file } = await filled()
    const db = new DatabaseSync(file)
    db.exec('PRAGMA journal_mode = DELETE; PRAGMA user_version = 2')
    db.close()
    const before = readFileSync(file)
    expect(() => openDatabase(file)).toThrow(
      expect.objectContaining({
        code: 'STORE_VERSION',
        message: 'the data are of version 2, this software knows 1',
      }),
    )
    expect(readFileSync(file).equals(before)).toBe(true)
  })
})
