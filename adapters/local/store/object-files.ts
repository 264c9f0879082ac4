// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { existsSync, linkSync, readdirSync, rmSync } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { onceEach } from '#core/order/once.ts'
import type { ByteRange } from '#core/ports/objects.ts'
import { isSystemError, translate, translateAsync } from '../errors.ts'
import { makeFolder } from './durable-file.ts'

export type Stored = 'stored' | 'exists'

/** Large objects as fsynced files. @throws AmpereError STORE_FULL, STORE_UNAVAILABLE */
export interface ObjectFiles {
  /** null when absent. */
  readonly read: (store: string, name: string, range: ByteRange | undefined) => Promise<Uint8Array | null>
  readonly has: (store: string, name: string) => boolean
  /**
   * Durable when it resolves, also when it finds what another writer has just stored. `decide` may give the file
   * its name, which never replaces one, or find a reason not to.
   */
  readonly write: (
    store: string,
    name: string,
    bytes: Uint8Array,
    decide: (giveName: () => Stored) => Promise<Stored>,
  ) => Promise<Stored>
  readonly remove: (store: string, name: string) => Promise<void>
}

/** Files under `folder`, where `fileOf` says, and unfinished ones in `folder`/tmp, which is not made for whoever only reads. */
export function openObjectFiles(folder: string, isReadOnly = false, fileOf = hashedFile): ObjectFiles {
  const unfinished = join(folder, 'tmp')
  if (!isReadOnly) translate(() => makeFolder(unfinished))
  const ready = onceEach(makeFolderDurably)
  return {
    read: (store, name, range) => translateAsync(() => readRange(fileOf(folder, store, name), range)),
    has: (store, name) => existsSync(fileOf(folder, store, name)),
    write: (store, name, bytes, decide) =>
      translateAsync(async () => {
        const file = fileOf(folder, store, name)
        const without = join(unfinished, crypto.randomUUID())
        await ready(dirname(file))
        try {
          await writeSynced(without, bytes)
          const outcome = await decide(() => giveName(without, file))
          await syncFolder(dirname(file))
          return outcome
        } finally {
          await rm(without, { force: true })
        }
      }),
    remove: (store, name) =>
      translateAsync(async () => {
        const file = fileOf(folder, store, name)
        await rm(file, { force: true })
        await syncFolder(dirname(file)).catch(unlessAbsent)
      }),
  }
}

/**
 * Removes what processes left that were killed while they wrote. Such a file can be a second name of a stored
 * object, which would outlive its shredding. Only for whoever holds the data folder; a process beside it that
 * is writing just then fails with STORE_UNAVAILABLE.
 */
export function removeUnfinished(folder: string): void {
  translate(() => {
    const unfinished = join(folder, 'tmp')
    for (const name of readdirSync(unfinished)) rmSync(join(unfinished, name), { force: true })
  })
}

/** Files are named by a hash, so that names differing only in case stay apart on every file system. */
function hashedFile(folder: string, store: string, name: string): string {
  const hash = createHash('sha256').update(name).digest('hex')
  return join(folder, store, hash.slice(0, 2), hash)
}

async function readRange(file: string, range: ByteRange | undefined): Promise<Uint8Array | null> {
  const handle = await open(file, 'r').catch(unlessAbsent)
  if (!handle) return null
  try {
    const { size } = await handle.stat()
    const start = Math.min(range?.start ?? 0, size)
    const bytes = new Uint8Array(Math.max(0, Math.min(range?.end ?? size, size) - start))
    for (let done = 0; done < bytes.length;) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done)
      // Cut while it was read: what there is, as for a range past the end. Hashes tell whoever reads it.
      if (bytesRead === 0) return bytes.slice(0, done)
      done += bytesRead
    }
    return bytes
  } finally {
    await handle.close()
  }
}

/** Content is durable before it has its name, so that no crash leaves half an object under it. */
async function writeSynced(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function giveName(unfinished: string, file: string): Stored {
  try {
    linkSync(unfinished, file)
    return 'stored'
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return 'exists'
    throw error
  }
}

/** A folder in a store's folder. The names of both are synced, whoever made them: they may be just made. */
async function makeFolderDurably(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await syncFolder(dirname(folder))
  await syncFolder(dirname(dirname(folder)))
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot sync a folder: NTFS keeps a journal of names.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function unlessAbsent(error: unknown): null {
  if (isSystemError(error, 'ENOENT')) return null
  throw error
}
