// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import type { InstitutionId, Kid } from '../bytes/ids.ts'
import { digest, kid, parseWith, timestamp } from '../bytes/schema.ts'
import { MAX_REVOCATION_BYTES, parseJws, signJws, verifyJws } from '../block/jws.ts'
import type { Verifiers } from '../crypto/signature.ts'
import { AmpereError, brokenRule } from '../errors.ts'
import type { Signer } from '../ports/keys.ts'
import type { KeyRecord } from './records.ts'
import { keyRecordOf, recordOf, type RegistryView } from './snapshot.ts'

const schema = v.strictObject({
  v: v.literal(1),
  registry: digest,
  kid,
  reason: v.picklist(['retired', 'suspended', 'compromised']),
  suspectFrom: v.nullable(timestamp),
  time: timestamp,
})

/**
 * An institution's statement that a key of its own is revoked, which any home honours at once. It names no height and no parent,
 * so that it is never a second block at one height: showing it everywhere forks nothing. The registry gets its own block.
 */
export type Revocation = v.InferOutput<typeof schema>

/** A statement that one institution could make, with its signature checked. */
export interface OpenedRevocation {
  readonly compact: string
  readonly revocation: Revocation
  /** Whose root key signed it, and whose the key is. */
  readonly institution: InstitutionId
  readonly signer: Kid
}

/** Signs a revocation with the institution's root key. @throws AmpereError BLOCK_MALFORMED, KEY_UNAVAILABLE */
export function signRevocation(revocation: Revocation, root: Signer): Promise<string> {
  return signJws(
    'ampere-revocation+jws',
    parseWith(schema, revocation, 'BLOCK_MALFORMED', 'revocation'),
    root,
  )
}

/**
 * Opens a revocation by what a registry says of the two keys. Who owns a key never changes, so a statement that was good once is
 * found good again, also after its root key was replaced; whether that key may speak now is for `checkSpeaks`.
 * @throws AmpereError JWS_MALFORMED, BLOCK_MALFORMED, SIGNATURE_INVALID; VERIFICATION_FAILED (rules `registry`, `revoke`)
 */
export async function openRevocation(
  compact: string,
  view: RegistryView,
  verifiers: Verifiers,
): Promise<OpenedRevocation> {
  const jws = parseJws(compact, 'ampere-revocation+jws', MAX_REVOCATION_BYTES)
  const revocation = parseWith(schema, jws.payload, 'BLOCK_MALFORMED', 'revocation')
  const root = keyRecordOf(view, jws.kid)
  if (!root) throw new AmpereError('SIGNATURE_INVALID', 'the signing key is not known')
  await verifyJws(jws, root.jwk, verifiers)
  if (revocation.registry !== view.registry)
    throw brokenRule('registry', 'the revocation is for another registry')
  const key = keyRecordOf(view, revocation.kid)
  const owner = key && institutionOf(key, view)
  if (root.use !== 'root' || !key || owner === null || institutionOf(root, view) !== owner)
    throw brokenRule('revoke', "a key is revoked by its own institution's root key")
  if (key.use === 'root' || key.use === 'recovery')
    throw brokenRule('revoke', 'a root key is replaced, not revoked')
  if (revocation.suspectFrom !== null && revocation.reason !== 'compromised')
    throw brokenRule('revoke', 'only a compromised key is suspect from a time on')
  return { compact, revocation, institution: owner, signer: jws.kid }
}

/** That whoever signed may still speak for its institution. @throws AmpereError VERIFICATION_FAILED (rule `author`) */
export function checkSpeaks({ signer, institution }: OpenedRevocation, view: RegistryView): void {
  const isActive = recordOf(view, 'institution', institution)?.status === 'active'
  if (!isActive || keyRecordOf(view, signer)?.revoked !== null)
    throw brokenRule('author', 'the signer is not the root key of an active institution')
}

/** The view with more keys revoked than the registry has revoked yet, and their instances with them. */
export function withRevoked(
  view: RegistryView,
  shown: ReadonlyMap<Kid, Pick<Revocation, 'reason' | 'suspectFrom'>>,
): RegistryView {
  if (shown.size === 0) return view
  return {
    ...view,
    get: (key) => {
      const record = view.get(key)
      if (record?.kind === 'instance' && shown.has(record.signing)) return { ...record, status: 'revoked' }
      const said = record?.kind === 'key' && record.revoked === null ? shown.get(record.kid) : undefined
      if (record?.kind !== 'key' || !said) return record
      const { reason, suspectFrom } = said
      return { ...record, revoked: { reason, suspectFrom, height: view.head.height } }
    },
  }
}

function institutionOf({ owner }: KeyRecord, view: RegistryView): InstitutionId | null {
  if ('institution' in owner) return owner.institution
  return recordOf(view, 'deployment', owner.deployment)?.institution ?? null
}
