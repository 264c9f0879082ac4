// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AmpereError } from '#core/errors.ts'
import { checkObjectName, type StoreObjects } from '#core/ports/objects.ts'
import { openObjectFiles, removeUnfinished } from './object-files.ts'

/**
 * Objects as files under their names in a folder of their own, for people to copy elsewhere. Names that differ in case only
 * must not occur: some file systems take them for one. One process at a time writes.
 * @throws AmpereError STORE_UNAVAILABLE, STORE_FULL; NOT_FOUND with `readOnly` where there is no such folder
 */
export function openFolderObjects(
  path: string,
  { readOnly = false }: { readonly readOnly?: boolean } = {},
): StoreObjects {
  const folder = resolve(path)
  if (readOnly && !existsSync(folder)) throw new AmpereError('NOT_FOUND', 'there is no such folder')
  const files = openObjectFiles(folder, readOnly, (_, __, name) => join(folder, ...name.split('/')))
  if (!readOnly) removeUnfinished(folder)
  return {
    fetch: async (name, range) => {
      checkObjectName(name)
      return files.read('', name, range)
    },
    store: async (name, bytes) => {
      checkObjectName(name)
      if (readOnly) throw new AmpereError('UNSUPPORTED', 'the folder was opened to be read')
      if (files.has('', name)) return 'exists'
      return files.write('', name, bytes, async (giveName) => giveName())
    },
  }
}
