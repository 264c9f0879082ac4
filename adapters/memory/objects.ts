// SPDX-License-Identifier: Apache-2.0
import type { ShredObjects } from '#core/ports/objects.ts'

const NAME = /^(?!.*(?:^|\/)\.{0,2}(?:\/|$))[A-Za-z0-9_./-]{1,200}$/

/** @throws RangeError for a name that is not 1..200 of A-Z a-z 0-9 - _ / . or has an empty or dotted segment */
export function checkObjectName(name: string): void {
  if (!NAME.test(name)) throw new RangeError('an object name has a character or segment that is not allowed')
}

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
