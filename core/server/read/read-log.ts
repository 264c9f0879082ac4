// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import { AmpereError } from '../../errors.ts'
import { parseBundlePath, parseTilePath } from '../../log/tile/path.ts'
import type { FetchObjects } from '../../ports/objects.ts'
import type { ReadTable } from '../../ports/table.ts'
import { LOG_PARTITION, PUBLISHED_KEY } from '../store/log.ts'

/** What serving the log needs. */
export interface LogPorts {
  readonly tables: { readonly checkpoints: ReadTable }
  readonly objects: { readonly log: FetchObjects }
}

/** The newest checkpoint of the log, a signed note. @throws AmpereError NOT_FOUND before the log begins */
export async function readCheckpoint({ tables }: LogPorts): Promise<string> {
  const row = await tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY)
  if (!row) throw new AmpereError('NOT_FOUND', 'the log has no checkpoint yet')
  return fromUtf8(row.value)
}

/** A tile or an entry bundle by its path below the log's prefix. @throws AmpereError NOT_FOUND */
export async function readLogFile({ objects }: LogPorts, path: string): Promise<Uint8Array> {
  const isOurs = parseTilePath(path) !== null || parseBundlePath(path) !== null
  const bytes = isOurs ? await objects.log.fetch(path) : null
  if (!bytes) throw new AmpereError('NOT_FOUND', 'the log has no such tile')
  return bytes
}
