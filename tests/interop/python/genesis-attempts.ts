// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '#core/bytes/encoding.ts'
import { asDeploymentId, asInstitutionId, type Digest } from '#core/bytes/ids.ts'
import type { Signer } from '#core/ports/keys.ts'
import {
  registryAction,
  signRegistryApproval,
  signRegistryBlock,
  type RegistryBlock,
} from '#core/registry/block.ts'
import type { FoundingRecord } from '#core/registry/records.ts'
import { membershipRecord } from '#core/registry/rules/members.ts'
import { putRecords, stateRoot } from '#core/registry/state.ts'
import { draftChange, draw, EXPIRES, must, stateOf, type Founded } from '#tests/core/registry/members.ts'
import type { Chooser } from './registry-attempts.ts'

const institution = (id: string) => ({ institution: asInstitutionId(id) })

/** A genesis whose records are as they must be but for one thing, or not even that. */
export async function genesisAttempt(world: Founded, choice: Chooser): Promise<string> {
  const { one, happens } = choice
  const fresh = await draw(world.random)
  const spoil = (record: FoundingRecord) => one(spoiled(record, fresh))
  const at = one([...world.records.keys()])
  const chosen = must(world.records[at])
  const rest = world.records.filter((_, i) => i !== at)
  const records = one<readonly FoundingRecord[]>([
    world.records,
    rest,
    [...world.records, chosen],
    [...world.records, ...spoiled(chosen, fresh).slice(0, 1)],
    ...Array.from({ length: 8 }, () => world.records.with(at, spoil(chosen))),
    world.records.filter(({ kind }) => kind !== 'institution'),
  ])
  const body = { nonce: toBase64url(world.random(32)), records: [...records] }
  const action = registryAction('genesis', body)
  const [a, b, c] = [world.member('a'), world.member('b'), world.member('c')]
  const approvers = [a.root, b.root, c.root].filter(() => happens(95))
  const registry = happens(98) ? null : world.link.place.registry
  const sign = (signer: Signer) =>
    signRegistryApproval({ registry, after: 0, action, expires: EXPIRES }, signer)
  const approvals = await Promise.all(approvers.map(sign))
  const { time, op } = draftChange(world.link, [])
  const state: Digest = stateRoot(putRecords(stateOf(records), [membershipRecord(0)]))
  const block: RegistryBlock = {
    v: 1,
    type: 'genesis',
    height: 0,
    time,
    op,
    state,
    body: { ...body, approvals },
  }
  return signRegistryBlock(block, one([a.root, a.root, a.root, b.root, a.recovery, a.instance]))
}

/** What a record can be that it must not. */
function spoiled(record: FoundingRecord, fresh: Signer): readonly FoundingRecord[] {
  const foreign = institution('none')
  switch (record.kind) {
    case 'institution': {
      const key = { ...record.sealing, kid: fresh.kid as string as Digest }
      return [
        { ...record, sealing: key },
        { ...record, root: fresh.publicKey },
        { ...record, status: 'removed' },
        { ...record, id: foreign.institution },
      ]
    }
    case 'key': {
      const revoked = { reason: 'retired' as const, suspectFrom: null, height: 0 }
      return [
        { ...record, jwk: fresh.publicKey },
        { ...record, revoked },
        { ...record, owner: foreign },
        { ...record, use: 'head' },
        { ...record, use: 'root' },
      ]
    }
    case 'instance':
      return [
        { ...record, signing: fresh.kid },
        { ...record, ...foreign },
        { ...record, status: 'revoked' },
      ]
    case 'deployment':
      return [
        { ...record, kid: fresh.kid },
        { ...record, ...foreign },
        { ...record, id: asDeploymentId('home-9') },
      ]
    case 'rules':
      return [{ ...record, home: asDeploymentId('none') }]
  }
}
