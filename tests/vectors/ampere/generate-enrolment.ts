// SPDX-License-Identifier: Apache-2.0
// Writes enrolment.json: node tests/vectors/ampere/generate-enrolment.ts
// Keys are drawn from the seed. What is sealed differs with each run, so that the file is only opened.
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { toBase64url, toHex } from '#core/bytes/encoding.ts'
import { asInstanceId, asInstitutionId, type Digest, type OpId } from '#core/bytes/ids.ts'
import type { Timestamp } from '#core/bytes/timestamp.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { createVerifiers, generateSoftwareKey, softwareSigner } from '#core/crypto/signature.ts'
import { openEnrolment, signEnrolment, signEnrolmentAnswer } from '#core/registry/enrolment.ts'
import { sealSeed } from '#core/seal/handover.ts'
import { SEED, seededBytes } from './seeded-bytes.ts'

/** A request, its id and code, and both answers to it. */
export async function enrolmentVectors() {
  const random = seededBytes(SEED)
  const signer = await softwareSigner('Ed25519', generateSoftwareKey('Ed25519', random).seed)
  const root = await softwareSigner('Ed25519', generateSoftwareKey('Ed25519', random).seed)
  const [openWith, seed] = [random(32), random(32)]
  const registry: Digest = digestOf(random(32))
  const institution = asInstitutionId('hospital-a')
  const request = await signEnrolment(
    {
      v: 1,
      registry,
      institution,
      instance: asInstanceId('ward-7'),
      capabilities: ['create', 'identify'],
      jwk: signer.publicKey,
      sealTo: toBase64url(sealingPublicKey(openWith)),
      time: '2026-11-01T08:00:00.000Z' as Timestamp,
      nonce: toBase64url(random(16)) as OpId,
    },
    signer,
  )
  const { id, code } = await openEnrolment(request, createVerifiers())
  const time = '2026-11-01T08:10:00.000Z' as Timestamp
  const about = { v: 1 as const, registry, institution, enrolment: id, kid: signer.kid, time }
  const sealed = await sealSeed({ registry, institution, enrolment: id }, sealingPublicKey(openWith), seed)
  const approved = { ...about, answer: 'approved' as const, height: 3, log: [], seed: toBase64url(sealed) }
  const refused = { ...about, answer: 'refused' as const, reason: 'not one of ours' }
  return {
    request,
    id,
    code,
    openWith: toHex(openWith),
    root: root.publicKey,
    sealingKid: digestOf(sealingPublicKey(seed)),
    sealingSeed: toHex(seed),
    approved: await signEnrolmentAnswer(approved, root),
    refused: await signEnrolmentAnswer(refused, root),
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const text = JSON.stringify({ seed: SEED, vectors: await enrolmentVectors() }, null, 1)
  writeFileSync(new URL('enrolment.json', import.meta.url), `${text}\n`)
}
