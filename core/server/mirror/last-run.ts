// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { count, parseWith, timestamp } from '../../bytes/schema.ts'
import type { HomeStores, ReadStores } from '../copy/stores.ts'

const PARTITION = 'mirrored'
const KEY = 'last'
const schema = v.strictObject({
  v: v.literal(1),
  /** When it ended. What was acknowledged since may be lost with the home. */
  time: timestamp,
  chains: count,
  logSize: count,
  problems: count,
})

/** What came of the last run that ended. */
export type LastRun = v.InferOutput<typeof schema>

/** The last run that ended, or null before there was one. @throws AmpereError STORE_CORRUPT */
export async function readLastRun({ tables }: Pick<ReadStores, 'tables'>): Promise<LastRun | null> {
  const row = await tables.jobs.get(PARTITION, KEY)
  return row && parseWith(schema, parseCanonical(row.value), 'STORE_CORRUPT', 'mirror run')
}

/** Notes that a run ended. */
export async function noteLastRun({ tables }: Pick<HomeStores, 'tables'>, run: LastRun): Promise<void> {
  const row = await tables.jobs.get(PARTITION, KEY)
  await tables.jobs.swap(PARTITION, KEY, row?.version ?? null, canonicalBytes(run))
}
