// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import type { InstanceId, Kid } from '../../bytes/ids.ts'
import { count, digest, instanceId, kid, parseWith } from '../../bytes/schema.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import { compactHash, registryLabelKey } from '../../block/leaf.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import type { Policy } from '../../log/policy/policy.ts'
import { createRegistryHistory } from '../../registry/history.ts'
import type { InstanceRecord } from '../../registry/records.ts'
import { proveRecord, verifyRecordProof } from '../../registry/state.ts'
import type { Pins } from '../client.ts'
import type { Connection } from '../connect.ts'
import { createReceiptJudge } from '../receipt/judge.ts'

const schema = v.strictObject({
  v: v.literal(1),
  registry: digest,
  instance: instanceId,
  kid,
  /** Height of the block that put the key in force. */
  height: count,
  /** Every block of the registry up to that one. */
  blocks: v.pipe(v.array(v.string()), v.minLength(1)),
  /** Of the record `instance/ID` in the state of that block. */
  proof: v.strictObject({ bucket: v.string(), hashes: v.pipe(v.array(v.string()), v.readonly()) }),
  /** A tlog-proof of that block; null where the log did not have it yet. */
  receipt: v.nullable(v.string()),
})
/** What proves to anybody, offline, that a registry lists the key of an app instance. */
export type Certificate = v.InferOutput<typeof schema>

/** What a certificate proves: that this was so at the time of the block, not that it is still. */
export interface Certified {
  readonly instance: InstanceRecord
  readonly kid: Kid
  readonly height: number
  readonly blockId: string
  /** When the key was put in force, as the block says. */
  readonly since: Timestamp
  /** How far the log vouches for the block; null without a receipt, or where no key of the log is pinned. */
  readonly level: 'logged' | 'witnessed' | null
}

/** Puts together the certificate of an instance's key, of what this connection verified. @throws AmpereError NOT_FOUND */
export async function makeCertificate(
  { api, sync, ports }: Connection,
  instance: InstanceId,
  signing: Kid,
): Promise<Certificate> {
  const height = sync.registry.since(`key/${signing}`)
  if (height === null) throw new AmpereError('NOT_FOUND', 'the registry does not have the key')
  const blocks = sync.registry.blocks().slice(0, height + 1)
  const { link } = await folded(ports.pins.registry, blocks, sync.verifiers)
  return {
    v: 1,
    registry: ports.pins.registry,
    instance,
    kid: signing,
    height,
    blocks,
    proof: proveRecord(link.state, `instance/${instance}`),
    receipt: await api.registryReceipt(height),
  }
}

/** @throws AmpereError RECORD_MALFORMED */
export function parseCertificate(content: unknown): Certificate {
  return parseWith(schema, content, 'RECORD_MALFORMED', 'certificate')
}

/**
 * Verifies a certificate with nothing but what is pinned.
 * @throws AmpereError VERIFICATION_FAILED and its kin
 */
export async function verifyCertificate(
  certificate: Certificate,
  { registry, origin, policy }: Pick<Pins, 'registry' | 'origin' | 'policy'>,
  verifiers: Verifiers,
): Promise<Certified> {
  const { blocks, height, kid: signing, instance: id, receipt } = certificate
  if (certificate.registry !== registry) throw failed('the certificate is of another registry')
  if (blocks.length !== height + 1) throw failed('the certificate lacks blocks of the registry')
  const { link, time, blockId } = await folded(registry, blocks, verifiers)
  const record = verifyRecordProof(certificate.proof, `instance/${id}`, link.root)
  if (record?.kind !== 'instance' || record.signing !== signing || record.status !== 'active')
    throw failed('the registry did not list this key as that of the instance')
  const level =
    receipt !== null && policy
      ? await judged(certificate, receipt, { registry, origin, policy }, verifiers)
      : null
  return { instance: record, kid: signing, height, blockId, since: time, level }
}

async function folded(registry: Pins['registry'], blocks: readonly string[], verifiers: Verifiers) {
  const history = createRegistryHistory(registry, verifiers)
  let newest = null
  for (const compact of blocks) newest = await history.add(compact)
  const link = history.link()
  if (!newest || !link) throw failed('the certificate has no block of the registry')
  return {
    link: { state: link.state, root: newest.block.state },
    time: newest.block.time,
    blockId: newest.id as string,
  }
}

async function judged(
  { blocks, height }: Certificate,
  receipt: string,
  { registry, origin, policy }: { registry: Pins['registry']; origin: string; policy: Policy },
  verifiers: Verifiers,
): Promise<'logged' | 'witnessed'> {
  const subject = {
    chain: registry,
    height,
    home: origin,
    hash: compactHash(blocks[height] ?? ''),
    labelKey: registryLabelKey(registry),
  }
  return (await createReceiptJudge(policy, verifiers).judge(receipt, subject)).level
}

function failed(what: string): AmpereError {
  return new AmpereError('VERIFICATION_FAILED', what)
}
