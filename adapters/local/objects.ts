// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { link, mkdir, open, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ObjectsName } from '#core/ports/needs.ts'
import type { ByteRange, ShredObjects } from '#core/ports/objects.ts'
import type { Database } from './database.ts'
import { translateAsync } from './errors.ts'

/** Objects up to this size lie in the database, where many share one fsync; larger ones are files. */
export const SMALL_OBJECT_BYTES = 256 * 1024
const NAME = /^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[A-Za-z0-9_./-]{1,200}$/

/** Objects in SQLite and in fsynced files under `folder`. */
export function localObjects(database: Database, store: ObjectsName, folder: string): ShredObjects {
  return {
    fetch: async (name, range) => {
      checkName(name)
      const small = await database.read(
        (db) =>
          db.prepare('SELECT bytes FROM objects WHERE store = ? AND name = ?').get(store, name)?.['bytes'],
      )
      if (small instanceof Uint8Array)
        return new Uint8Array(small).slice(range?.start ?? 0, range?.end ?? small.length)
      return readFile(fileOf(folder, store, name), range)
    },
    store: async (name, bytes) => {
      checkName(name)
      if (bytes.length > SMALL_OBJECT_BYTES) return writeFile(fileOf(folder, store, name), bytes)
      const copy = new Uint8Array(bytes)
      return database.write((db) => {
        const done = db
          .prepare('INSERT OR IGNORE INTO objects (store, name, bytes) VALUES (?, ?, ?)')
          .run(store, name, copy)
        return Number(done.changes) === 1 ? 'stored' : 'exists'
      })
    },
    shred: async (name) => {
      checkName(name)
      await database.writeAndScrub((db) => {
        db.prepare('DELETE FROM objects WHERE store = ? AND name = ?').run(store, name)
      })
      const file = fileOf(folder, store, name)
      await translateAsync(() => rm(file, { force: true }))
      await syncFolder(dirname(file)).catch((error: unknown) => {
        if ((error as { code?: string }).code !== 'ENOENT') throw error
      })
    },
  }
}

function checkName(name: string): void {
  if (!NAME.test(name)) throw new RangeError('an object name has a character or segment that is not allowed')
}

/** Files are named by a hash, so that names differing only in case stay apart on every file system. */
function fileOf(folder: string, store: string, name: string): string {
  const hash = createHash('sha256').update(name).digest('hex')
  return join(folder, store, hash.slice(0, 2), hash)
}

async function readFile(file: string, range: ByteRange | undefined): Promise<Uint8Array | null> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    if ((error as { code?: string }).code === 'ENOENT') return null
    throw error
  })
  if (!handle) return null
  try {
    const { size } = await handle.stat()
    const start = Math.min(range?.start ?? 0, size)
    const bytes = new Uint8Array(Math.max(0, Math.min(range?.end ?? size, size) - start))
    await translateAsync(() => handle.read(bytes, 0, bytes.length, start))
    return bytes
  } finally {
    await handle.close()
  }
}

/** Durable before it has its name: temporary file, fsync, link (which never replaces), fsync of the folder. */
async function writeFile(file: string, bytes: Uint8Array): Promise<'stored' | 'exists'> {
  return translateAsync(async () => {
    await mkdir(dirname(file), { recursive: true })
    const temporary = `${file}.${crypto.randomUUID()}`
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    try {
      await link(temporary, file)
    } catch (error) {
      if ((error as { code?: string }).code === 'EEXIST') return 'exists'
      throw error
    } finally {
      await unlink(temporary)
    }
    await syncFolder(dirname(file))
    await syncFolder(dirname(dirname(file)))
    return 'stored'
  })
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
