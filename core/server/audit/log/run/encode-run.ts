// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '../../../../bytes/encoding.ts'
import { AmpereError } from '../../../../errors.ts'
import { LogNotes, type LogFlaw } from '../report.ts'
import { Claims, type HeldClaims } from '../rows/claims.ts'
import { Coverage } from '../rows/coverage.ts'
import type { LogRun } from './log-run.ts'

/** Version of a stored run: one of another version is begun anew. */
const RUN_VERSION = 2

/** A run as bytes, of about half a byte for each leaf of the log. */
export function encodeRun(run: LogRun): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify({ v: RUN_VERSION, run }, (_, value: unknown) => written(value)))
}

/**
 * What `encodeRun` wrote. Its form is not looked at: the caller knows that these are the bytes which were written.
 * @throws AmpereError STORE_CORRUPT for one of another version
 */
export function decodeRun(bytes: Uint8Array): LogRun {
  const stored = JSON.parse(fromUtf8(bytes), (_, value: unknown) => read(value)) as {
    readonly v: number
    readonly run: LogRun
  }
  if (stored.v === RUN_VERSION) return stored.run
  throw new AmpereError('STORE_CORRUPT', 'the audit was begun by another version: begin anew')
}

/** Values that JSON has not, as arrays with a name that no other value begins with. */
function written(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: toBase64url(value) }
  if (value instanceof Map) return { $map: [...(value as Map<unknown, unknown>)] }
  if (value instanceof Set) return { $set: [...(value as Set<unknown>)] }
  if (value instanceof LogNotes) return { $notes: [value.flaws, value.unlisted, value.earlier] }
  if (value instanceof Coverage) return { $coverage: [value.from, value.size, value.bits] }
  if (value instanceof Claims) return { $claims: value.held }
  return value
}

interface Written {
  readonly $bytes?: string
  readonly $map?: readonly [unknown, unknown][]
  readonly $set?: readonly unknown[]
  readonly $notes?: readonly [LogFlaw[], number, LogNotes['earlier']]
  readonly $coverage?: ConstructorParameters<typeof Coverage>
  readonly $claims?: HeldClaims
}

function read(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { $bytes, $map, $set, $notes, $coverage, $claims } = value as Written
  if ($bytes !== undefined) return fromBase64url($bytes)
  if ($map) return new Map($map)
  if ($set) return new Set($set)
  if ($notes) return new LogNotes(...$notes)
  if ($coverage) return new Coverage(...$coverage)
  return $claims ? new Claims($claims) : value
}
