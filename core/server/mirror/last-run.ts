// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { chainId, count, parseWith, timestamp } from '../../bytes/schema.ts'
import type { HomeStores, ReadStores } from '../copy/stores.ts'

const PARTITION = 'mirrored'
const lastSchema = v.strictObject({
  v: v.literal(1),
  /** When the round began. What was acknowledged since may be lost with the home. */
  time: timestamp,
  chains: count,
  logSize: count,
  problems: count,
})
const roundSchema = v.strictObject({
  v: v.literal(1),
  /** When it began. */
  since: timestamp,
  /** The chain from which on to go on; null at the beginning. */
  from: v.nullable(chainId),
  /** True when that chain itself was looked at already. */
  isDone: v.boolean(),
  /** False once a chain has more blocks than were copied: then nothing can be said of all chains. */
  isWhole: v.boolean(),
  chains: count,
  problems: count,
})
const failedSchema = v.strictObject({
  v: v.literal(1),
  /** When the first of the runs began that failed one after the other. */
  since: timestamp,
  /** When the last of them began. */
  time: timestamp,
  code: v.string(),
  /** The rule that what the home showed breaks, or null. */
  rule: v.nullable(v.string()),
})
const witnessedSchema = v.strictObject({ v: v.literal(1), from: count })

/** What came of the last round that copied all chains to their ends. */
export type LastRun = v.InferOutput<typeof lastSchema>

/** The runs that failed since one did not. */
export type FailedRuns = v.InferOutput<typeof failedSchema>

/** A round through all chains of a home, as far as it came: what one run leaves the next goes on with. */
export type Round = v.InferOutput<typeof roundSchema>

type Reading = Pick<ReadStores, 'tables'>
type Writing = Pick<HomeStores, 'tables'>

/** The last round that ended, or null before there was one. @throws AmpereError STORE_CORRUPT */
export function readLastRun(from: Reading): Promise<LastRun | null> {
  return read(from, 'last', lastSchema)
}

/** Notes that a round ended. */
export function noteLastRun(to: Writing, run: LastRun): Promise<void> {
  return put(to, 'last', run)
}

/** The runs that failed since one did not, or null where the last one did not. @throws AmpereError STORE_CORRUPT */
export function readFailedRuns(from: Reading): Promise<FailedRuns | null> {
  return read(from, 'failed', failedSchema)
}

/** Notes that a run failed; null when one did not. */
export function noteFailedRuns(to: Writing, failed: FailedRuns | null): Promise<void> {
  return put(to, 'failed', failed)
}

/** The round that a run left, or null. @throws AmpereError STORE_CORRUPT */
export function readRound(from: Reading): Promise<Round | null> {
  return read(from, 'round', roundSchema)
}

/** Notes how far a round came; null when it ended. */
export function noteRound(to: Writing, round: Round | null): Promise<void> {
  return put(to, 'round', round)
}

/** The tree size from which witnessed checkpoints are to be copied next. @throws AmpereError STORE_CORRUPT */
export async function readWitnessedFrom(from: Reading): Promise<number> {
  return (await read(from, 'witnessed', witnessedSchema))?.from ?? 0
}

/** Notes from which tree size on to go on; null to begin anew. */
export function noteWitnessedFrom(to: Writing, from: number | null): Promise<void> {
  return put(to, 'witnessed', from === null ? null : { v: 1, from })
}

async function read<S extends v.GenericSchema>(
  { tables }: Reading,
  key: string,
  schema: S,
): Promise<v.InferOutput<S> | null> {
  const row = await tables.jobs.get(PARTITION, key)
  return row && parseWith(schema, parseCanonical(row.value), 'STORE_CORRUPT', 'mirror run')
}

async function put({ tables }: Writing, key: string, value: object | null): Promise<void> {
  const row = await tables.jobs.get(PARTITION, key)
  if (row === null && value === null) return
  await tables.jobs.swap(PARTITION, key, row?.version ?? null, value && canonicalBytes(value))
}
