// SPDX-License-Identifier: Apache-2.0
import { LOG_PREFIX, logOriginOf } from '#core/api/log.ts'
import type { Connection } from '#core/client/connect.ts'
import { MAX_NOTE_BYTES } from '#core/log/note/note.ts'
import { TILE_WIDTH } from '#core/log/tile/path.ts'
import { verifyServed, type ServedReport } from '#core/server/audit/log/verify-served.ts'
import { fetchFile, MAX_BUNDLE_BYTES } from '#core/server/monitor/fetch-log.ts'
import type { Screen } from '../terminal/screen.ts'

/**
 * Verifies the home's log as anybody can who has its public keys: over the same paths, with no right of the operator. Null
 * where this folder pins no keys of it. A home that was never started serves no checkpoint, which is nothing to find as long
 * as nobody here knows of a block that it took.
 */
export async function verifyHomeLog(
  connection: Connection,
  screen: Screen,
  { knowsBlocks }: { readonly knowsBlocks: boolean },
): Promise<ServedReport | null> {
  const { ports } = connection
  const { policy, origin } = ports.pins
  if (!policy) return null
  const source = {
    url: `${origin}${LOG_PREFIX}`,
    fetch: ports.fetch,
    deadline: (ms: number) => AbortSignal.timeout(ms),
  }
  const note = await fetchFile(source, 'checkpoint', MAX_NOTE_BYTES)
  if (note === null && !knowsBlocks) return { size: 0, findings: [] }
  const bar = screen.progress({ doing: 'Verifying the log', unit: 'leaves' })
  try {
    return await verifyServed({
      origin: logOriginOf(origin),
      note,
      fetch: (path) => fetchFile(source, path, MAX_BUNDLE_BYTES),
      keys: policy.logs.map(({ key }) => key),
      verifiers: connection.sync.verifiers,
      progress: (leaves) => {
        if (leaves % (16 * TILE_WIDTH) === 0) bar.update(leaves)
      },
    })
  } finally {
    bar.stop()
  }
}
