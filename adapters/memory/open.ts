// SPDX-License-Identifier: Apache-2.0
import type { Fetch, Now, Random, Signer, Wrapper } from '#core/ports/keys.ts'
import type { KeyName, Platform } from '#core/ports/needs.ts'
import type { ShredObjects } from '#core/ports/objects.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { memoryObjects } from './objects.ts'
import { memorySigner } from './signer.ts'
import { memoryTable } from './table.ts'
import { memoryUnwrapper } from './unwrapper.ts'
import { memoryUploads } from './uploads.ts'

/** What stands in for the outside; each has a default. */
export interface MemoryOptions {
  readonly now?: Now
  readonly random?: Random
  readonly fetch?: Fetch
}

/** Bytes from the host's cryptographic source. */
export const hostRandom: Random = (length) => crypto.getRandomValues(new Uint8Array(length))

/** A platform in memory: it keeps every port's contract for as long as its process lives, and protects nothing. */
export function openMemory(options: MemoryOptions = {}): Platform {
  const random = options.random ?? hostRandom
  const tables = new Map<string, WriteTable>()
  const objects = new Map<string, ShredObjects>()
  const signers = new Map<KeyName, Promise<Signer>>()
  const unwrappers = new Map<KeyName, Promise<Wrapper>>()
  return {
    table: (name) => remember(tables, name, memoryTable),
    objects: (name) => remember(objects, name, memoryObjects),
    signer: (name) => remember(signers, name, () => memorySigner(name, random)),
    unwrapper: (name) => remember(unwrappers, name, () => memoryUnwrapper(name, random)),
    uploads: memoryUploads(hostRandom),
    now: options.now ?? (() => Date.now()),
    random,
    fetch: options.fetch ?? ((request) => fetch(request)),
    close: async () => {},
  }
}

function remember<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const kept = map.get(key)
  if (kept !== undefined) return kept
  const made = make()
  map.set(key, made)
  return made
}
