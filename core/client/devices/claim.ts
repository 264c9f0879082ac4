// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { chainId, digest, parseWith, timestamp } from '../../bytes/schema.ts'
import { controllerSchema } from '../../block/block.ts'
import { parseJws, signJws, verifyJws } from '../../block/jws.ts'
import { thumbprint } from '../../crypto/jwk.ts'
import { createVerifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import type { DeviceKeys, DeviceMember } from './keys.ts'

/** What a device is told at the desk: where the record is, and by what it judges its home. The code is told apart from it. */
export const invitationSchema = v.strictObject({
  v: v.literal(1),
  type: v.literal('ampere-invitation'),
  registry: digest,
  /** Origin of the home. */
  origin: v.pipe(v.string(), v.url(), v.maxLength(255)),
  chain: chainId,
  /** Whose logs and witnesses count (c2sp.org/tlog-policy); null where receipts are not judged. */
  policy: v.nullable(v.pipe(v.string(), v.maxLength(64 * 1024))),
})
export type Invitation = v.InferOutput<typeof invitationSchema>

const claimSchema = v.strictObject({
  v: v.literal(1),
  registry: digest,
  chain: chainId,
  code: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  member: controllerSchema,
  time: timestamp,
})

/** A device's wish to control a record, with the code that its owner was told at the desk. */
export interface Claim extends v.InferOutput<typeof claimSchema> {
  readonly member: DeviceMember
}

/** A claim is a few thousand bytes, most of them the sealing key. */
const MAX_CLAIM_BYTES = 16 * 1024

/** Signs a claim as `ampere-claim+jws`, with the device's own key: both keys, the code and the chain are bound to each other. */
export function signClaim(
  { signer, member }: DeviceKeys,
  claim: Pick<Claim, 'registry' | 'chain' | 'code' | 'time'>,
): Promise<string> {
  const { registry, chain, code, time } = claim
  return signJws('ampere-claim+jws', { v: 1, registry, chain, code, member, time }, signer)
}

/**
 * A claim that was signed by the key which it names.
 * @throws AmpereError JWS_MALFORMED, REQUEST_MALFORMED, SIGNATURE_INVALID
 */
export async function openClaim(compact: string): Promise<Claim> {
  const jws = parseJws(compact, 'ampere-claim+jws', MAX_CLAIM_BYTES)
  const claim = parseWith(claimSchema, jws.payload, 'REQUEST_MALFORMED', 'claim')
  const { member } = claim
  if (member.kind !== 'device' || member.kid !== jws.kid || thumbprint(member.jwk) !== jws.kid)
    throw new AmpereError('REQUEST_MALFORMED', 'claim: the device is not the one that signed')
  await verifyJws(jws, member.jwk, createVerifiers(1))
  return { ...claim, member }
}
