// SPDX-License-Identifier: Apache-2.0
import { LOG_PREFIX } from '#core/api/log.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { MAX_NOTE_BYTES } from '#core/log/note/note.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { TILE_BYTES } from '#core/log/tile/hashes.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { fetchFile } from '#core/server/monitor/fetch-log.ts'
import { WITNESSED_PARTITION } from '#core/server/store/log.ts'
import { readiness } from '../../cloud/smoke.ts'
import { glanceAt } from './glance.ts'
import { newestCheckpoint, type StoredLog } from './stored-log.ts'

/** A home's log, as it is looked at: in its stores, or where it is served. */
export interface LookedAt {
  readonly origin: string
  /** The home is served, and has its witnesses cosign anew. */
  readonly isRunning: boolean
  /** The newest checkpoint that the log serves, or null before it has one. */
  readonly newest: () => Promise<string | null>
  /** A tile by its path; null where there is none. */
  readonly tile: (path: string) => Promise<Uint8Array | null>
  /** Checkpoints that are kept for receipts, the newest first; none where they cannot be seen. */
  readonly kept: (limit: number) => Promise<readonly string[]>
  /** Why the log cannot go on, or null. */
  readonly trouble: (policy: Policy | null) => Promise<string | null>
}

/** The log in the stores of a home of this computer. */
export function storedLog(stored: StoredLog): LookedAt {
  const { settings, platform, isRunning } = stored
  return {
    origin: settings.origin,
    isRunning,
    newest: () => newestCheckpoint(platform),
    tile: (path) => platform.objects('log').fetch(path),
    kept: async (limit) => {
      const rows = await platform.table('checkpoints').range(WITNESSED_PARTITION, { reverse: true, limit })
      return rows.map(({ value }) => fromUtf8(value))
    },
    trouble: async (policy) => (await glanceAt(stored, policy))?.trouble ?? null,
  }
}

/** The log of a home as everybody can see it. Its methods throw UPSTREAM_FAILED */
export function servedLog(origin: string, fetch: Fetch): LookedAt {
  const source = {
    url: `${origin}${LOG_PREFIX}`,
    fetch,
    deadline: (ms: number) => AbortSignal.timeout(ms),
  }
  return {
    origin,
    isRunning: true,
    newest: async () => {
      const note = await fetchFile(source, 'checkpoint', MAX_NOTE_BYTES)
      return note && fromUtf8(note)
    },
    tile: (path) => fetchFile(source, path, TILE_BYTES),
    kept: async () => [],
    trouble: async () => {
      const says = await readiness(origin, fetch)
      return says === 'ok' ? null : `the home says: ${says}`
    },
  }
}
