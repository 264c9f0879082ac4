// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import type { InstitutionId } from '../bytes/ids.ts'
import { blockId, chainId, parseWith, timestamp } from '../bytes/schema.ts'
import { parseJws, signJws, verifyJws, type OpenedJws } from '../block/jws.ts'
import type { Verifiers } from '../crypto/signature.ts'
import type { PublicJwk, Signer } from '../ports/keys.ts'

/** Payload of `ampere-erased+jws`. */
export const erasedStatement = v.strictObject({
  v: v.literal(1),
  chain: chainId,
  /** The completing erase block. */
  block: blockId,
  /** Whose copy: the origin of a home, `bridge:<institution>` or `mirror:<institution>`. */
  store: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
  at: timestamp,
  /** When the last backup that could still hold what was erased is gone. */
  backupsExpire: timestamp,
})

/** What a holder says once its copy is gone: a statement, not a proof. */
export type ErasedStatement = v.InferOutput<typeof erasedStatement>

/** Content type under which a holder hands its statement in. */
export const ERASED_TYPE = 'application/jose'

/** Longest compact statement, in bytes. */
export const MAX_ERASED_BYTES = 8 * 1024

/** The `store` of an institution's bridge with its inbox, projections and index. */
export function bridgeStore(institution: InstitutionId): string {
  return `bridge:${institution}`
}

/** The `store` of an institution's mirror. */
export function mirrorStore(institution: InstitutionId): string {
  return `mirror:${institution}`
}

/** True for the stores for which an institution's app instances speak. */
export function isStoreOf(institution: InstitutionId, store: string): boolean {
  return store === bridgeStore(institution) || store === mirrorStore(institution)
}

/** Signs a statement as `ampere-erased+jws`. */
export function signErased(erased: ErasedStatement, signer: Signer): Promise<string> {
  return signJws(
    'ampere-erased+jws',
    parseWith(erasedStatement, erased, 'REQUEST_MALFORMED', 'statement'),
    signer,
  )
}

/** @throws AmpereError JWS_MALFORMED, REQUEST_MALFORMED */
export function parseErased(compact: string): { readonly jws: OpenedJws; readonly erased: ErasedStatement } {
  const jws = parseJws(compact, 'ampere-erased+jws', MAX_ERASED_BYTES)
  return { jws, erased: parseWith(erasedStatement, jws.payload, 'REQUEST_MALFORMED', 'erasure statement') }
}

/** Parses and verifies with the holder's key. @throws AmpereError SIGNATURE_INVALID and those of `parseErased` */
export async function openErased(
  compact: string,
  key: PublicJwk,
  verifiers: Verifiers,
): Promise<ErasedStatement> {
  const { jws, erased } = parseErased(compact)
  await verifyJws(jws, key, verifiers)
  return erased
}
