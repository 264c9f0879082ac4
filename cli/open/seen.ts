// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChainId } from '#core/bytes/ids.ts'
import type { SeenHeads } from '#core/client/client.ts'
import { AmpereError } from '#core/errors.ts'

type Head = NonNullable<Awaited<ReturnType<SeenHeads['load']>>>

/**
 * Heads that this installation saw, in a file: a rolled-back home is noticed after a restart as well. A server
 * and a command beside it share the file: each takes over what the other saw before it writes.
 */
export function fileSeen(folder: string): SeenHeads {
  const file = join(folder, 'seen.json')
  let heads = readHeads(file)
  let readAt = changedAt(file)
  return {
    load: async (chain) => heads.get(chain) ?? null,
    save: async (chain, head) => {
      if (changedAt(file) !== readAt) heads = newest(heads, readHeads(file))
      if (head.height > (heads.get(chain)?.height ?? -1)) heads.set(chain, head)
      const temporary = `${file}.${process.pid}.tmp`
      writeFileSync(temporary, JSON.stringify(Object.fromEntries(heads)), { mode: 0o600 })
      renameSync(temporary, file)
      readAt = changedAt(file)
    },
  }
}

/** The newest heads that an installation saw, by chain. @throws AmpereError STORE_CORRUPT */
export function seenHeads(folder: string): ReadonlyMap<ChainId, Head> {
  return readHeads(join(folder, 'seen.json')) as ReadonlyMap<string, Head> as ReadonlyMap<ChainId, Head>
}

function newest(mine: ReadonlyMap<string, Head>, theirs: ReadonlyMap<string, Head>): Map<string, Head> {
  const merged = new Map(mine)
  for (const [chain, head] of theirs) {
    if (head.height > (merged.get(chain)?.height ?? -1)) merged.set(chain, head)
  }
  return merged
}

function readHeads(file: string): Map<string, Head> {
  if (!existsSync(file)) return new Map()
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Head>))
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', `${file} is damaged`, { cause })
  }
}

function changedAt(file: string): number {
  return existsSync(file) ? statSync(file).mtimeMs : 0
}
