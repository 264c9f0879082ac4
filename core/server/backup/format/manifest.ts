// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes, parseCanonical } from '../../../bytes/canonical-json.ts'
import { toHex, utf8 } from '../../../bytes/encoding.ts'

import { count, deploymentId, digest, parseWith, timestamp } from '../../../bytes/schema.ts'
import { sha256 } from '../../../crypto/hash.ts'
import { AmpereError } from '../../../errors.ts'
import { totalsSchema } from './part.ts'
import { placeSchema } from './place.ts'

/** What a backup is of, written before anything else of it. */
export const beginSchema = v.strictObject({
  v: v.literal(1),
  deployment: deploymentId,
  origin: v.string(),
  registry: digest,
  /** The newest checkpoint that the log had published: everything in it is in the backup. */
  checkpoint: v.string(),
  /** What was acknowledged before this time is in the backup. */
  time: timestamp,
  /** From when on the backup must be gone: until then the home says of what it erases that a backup may have it. */
  expires: timestamp,
})
export type Begin = v.InferOutput<typeof beginSchema>

/** Written when all is there. */
export const manifestSchema = v.strictObject({
  v: v.literal(1),
  backup: digest,
  /** When the last part was written. */
  time: timestamp,
  totals: totalsSchema,
  parts: v.array(v.strictObject({ bytes: count, hash: digest, from: placeSchema })),
})
export type Manifest = v.InferOutput<typeof manifestSchema>

/** Names within a backup. None is read from it, so that nothing in it leads elsewhere; none differs from another in case only. */
export const BEGIN_NAME = 'backup.json'
export const MANIFEST_NAME = 'manifest.json'

/** Name of the n-th part, from 0. */
export function partName(index: number): string {
  return `parts/${String(index).padStart(12, '0')}`
}

/** Name of an object that is no item of a part. */
export function largeName(chain: string, root: string): string {
  const hash = toHex(sha256(utf8(`${chain}/${root}`)))
  return `objects/${hash.slice(0, 2)}/${hash}`
}

export function encodeBegin(begin: Begin): Uint8Array<ArrayBuffer> {
  return canonicalBytes(begin)
}

export function encodeManifest(manifest: Manifest): Uint8Array<ArrayBuffer> {
  return canonicalBytes(manifest)
}

/** @throws AmpereError STORE_CORRUPT; STORE_VERSION for that of a newer software */
export function parseBegin(bytes: Uint8Array): Begin {
  const value = parsed(bytes)
  checkVersion(value)
  return parseWith(beginSchema, value, 'STORE_CORRUPT', BEGIN_NAME)
}

/** @throws AmpereError STORE_CORRUPT */
export function parseManifest(bytes: Uint8Array): Manifest {
  return parseWith(manifestSchema, parsed(bytes), 'STORE_CORRUPT', MANIFEST_NAME)
}

function checkVersion(value: unknown): void {
  const version = (value as { readonly v?: unknown } | null)?.v
  if (typeof version === 'number' && version > 1)
    throw new AmpereError('STORE_VERSION', 'the backup was made by a newer version of this software')
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseCanonical(bytes)
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'the manifest of the backup was changed', { cause })
  }
}
