// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../bytes/canonical-json.ts'
import type { Kid } from '../../bytes/ids.ts'
import { parseWith, timestamp } from '../../bytes/schema.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import type { Row } from '../../ports/table.ts'
import { MAX_REVOCATION_BYTES } from '../../block/jws.ts'
import { openRevocation, type OpenedRevocation, type Revocation } from '../../registry/revocation.ts'
import { isRevoked, type RegistryView } from '../../registry/snapshot.ts'

/** How long after a revocation was shown the registry owes it, in milliseconds. */
export const OWED_MS = 60_000

const PREFIX = 'shown/'
const rowSchema = v.strictObject({
  v: v.literal(1),
  /** When it was shown here, by this home's clock. */
  at: timestamp,
  statement: v.pipe(v.string(), v.maxLength(MAX_REVOCATION_BYTES)),
})

/** A revocation that was shown to this home. */
export interface ShownRevocation {
  readonly at: Timestamp
  readonly statement: string
  readonly revocation: Revocation
}

/** Row key of a shown revocation: behind all blocks of the partition, so that whoever reads what is new reads it as well. */
export function shownKey(kid: Kid): string {
  return `${PREFIX}${kid}`
}

/** True for the key of a row with a shown revocation. */
export function isShownKey(key: string): boolean {
  return key.startsWith(PREFIX)
}

/** What is kept of a shown revocation. */
export function shownValue({ compact }: OpenedRevocation, nowMs: number): Uint8Array {
  return canonicalBytes({ v: 1, at: toTimestamp(nowMs), statement: compact })
}

/** A stored row: the store is not trusted, so it is opened again. @throws AmpereError STORE_CORRUPT */
export async function openShown(
  { key, value }: Pick<Row, 'key' | 'value'>,
  view: RegistryView,
  verifiers: Verifiers,
): Promise<ShownRevocation> {
  try {
    const { at, statement } = parseWith(rowSchema, parseCanonical(value), 'STORE_CORRUPT', 'shown revocation')
    const { revocation } = await openRevocation(statement, view, verifiers)
    if (shownKey(revocation.kid) === key) return { at, statement, revocation }
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a stored revocation was changed', { cause })
  }
  throw new AmpereError('STORE_CORRUPT', 'a stored revocation is not of the key that its row names')
}

/** Those that the registry owes: shown longer than `OWED_MS` ago, and not in it yet. `view` is the registry's own, as it is. */
export function overdueRevocations(
  shown: Iterable<ShownRevocation>,
  view: RegistryView,
  nowMs: number,
): readonly ShownRevocation[] {
  return [...shown].filter(
    ({ at, revocation }) => !isRevoked(view, revocation.kid) && nowMs - timestampMs(at) > OWED_MS,
  )
}
