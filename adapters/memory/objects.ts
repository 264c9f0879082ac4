// SPDX-License-Identifier: Apache-2.0
import { checkObjectName, type ShredObjects } from '#core/ports/objects.ts'

/** Objects in memory. */
export function memoryObjects(): ShredObjects {
  const objects = new Map<string, Uint8Array>()
  return {
    fetch: async (name, range) => {
      checkObjectName(name)
      const bytes = objects.get(name)
      if (!bytes) return null
      return bytes.slice(range?.start ?? 0, range?.end ?? bytes.length)
    },
    store: async (name, bytes) => {
      checkObjectName(name)
      if (objects.has(name)) return 'exists'
      objects.set(name, new Uint8Array(bytes))
      return 'stored'
    },
    shred: async (name) => {
      checkObjectName(name)
      objects.delete(name)
    },
  }
}
