// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import { count, parseWith, timestamp } from '../../bytes/schema.ts'
import { MAX_JWS_BYTES } from '../../block/jws.ts'
import { AmpereError } from '../../errors.ts'
import type { ReadTable, WriteTable } from '../../ports/table.ts'

const PARTITION = 'registry'
const compact = v.pipe(v.string(), v.maxLength(MAX_JWS_BYTES))

const contactSchema = v.strictObject({
  v: v.literal(1),
  /** When the newest run began that had all that the registry's home showed; null before the first. */
  seen: v.nullable(timestamp),
  /** The runs that failed since; null where the last one did not. */
  failed: v.nullable(
    v.strictObject({ since: timestamp, time: timestamp, code: v.string(), rule: v.nullable(v.string()) }),
  ),
})
const forkSchema = v.strictObject({
  v: v.literal(1),
  at: timestamp,
  /** Who showed the other block. */
  origin: v.string(),
  height: count,
  /** The block that this home has, and the other one; both follow the one before. */
  blocks: v.strictTuple([compact, compact]),
})

/** How following goes. */
export type Contact = v.InferOutput<typeof contactSchema>
/** Two blocks of one registry at one height, each signed by somebody who may: both are kept, and neither is followed. */
export type RegistryFork = v.InferOutput<typeof forkSchema>

interface Reading {
  readonly tables: { readonly following: ReadTable }
}
interface Writing {
  readonly tables: { readonly following: WriteTable }
}

/** How following goes; null before the first run. @throws AmpereError STORE_CORRUPT, STORE_UNAVAILABLE */
export function readContact(from: Reading): Promise<Contact | null> {
  return read(from, 'contact', contactSchema)
}

/** Notes how following goes. Of two runs at once one is noted, and both are as new. @throws AmpereError STORE_UNAVAILABLE */
export async function noteContact(to: Writing, contact: Contact): Promise<void> {
  const { following } = to.tables
  const row = await following.get(PARTITION, 'contact')
  await following.swap(PARTITION, 'contact', row?.version ?? null, canonicalBytes(contact))
}

/** The fork at which following stopped, or null. @throws AmpereError STORE_CORRUPT, STORE_UNAVAILABLE */
export function readFork(from: Reading): Promise<RegistryFork | null> {
  return read(from, 'fork', forkSchema)
}

/** Keeps a fork; the first one stays. @throws AmpereError STORE_UNAVAILABLE */
export async function keepFork(to: Writing, fork: RegistryFork): Promise<void> {
  await to.tables.following.insert(PARTITION, 'fork', canonicalBytes(fork))
}

/** Has following go on after a fork, as an operator decides who knows which history is right. @throws AmpereError STORE_UNAVAILABLE */
export async function dropFork(to: Writing): Promise<void> {
  const row = await to.tables.following.get(PARTITION, 'fork')
  if (row) await to.tables.following.swap(PARTITION, 'fork', row.version, null)
}

async function read<S extends v.GenericSchema>(
  { tables }: Reading,
  key: string,
  schema: S,
): Promise<v.InferOutput<S> | null> {
  const row = await tables.following.get(PARTITION, key)
  if (!row) return null
  try {
    return parseWith(schema, parseCanonical(row.value), 'STORE_CORRUPT', 'following')
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'what is kept of following the registry was changed', { cause })
  }
}
