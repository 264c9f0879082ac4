// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../../bytes/canonical-json.ts'
import { utf8 } from '../../bytes/encoding.ts'
import type { Digest } from '../../bytes/ids.ts'
import { digestOf } from '../../crypto/hash.ts'

/** The lines of an export that is being made. */
export interface ExportLines {
  add(line: object): void
  /** The name of a checkpoint, which stands once, before the first line that is under it. */
  under(checkpoint: string): Digest
  bytes(): Uint8Array
}

/** An export with no line yet. */
export function createLines(): ExportLines {
  const lines: string[] = []
  const known = new Set<Digest>()
  const add = (line: object): void => void lines.push(canonicalize(line))
  return {
    add,
    under: (checkpoint) => {
      const name = digestOf(utf8(checkpoint))
      if (!known.has(name)) add({ checkpoint })
      known.add(name)
      return name
    },
    bytes: () => utf8(`${lines.join('\n')}\n`),
  }
}
