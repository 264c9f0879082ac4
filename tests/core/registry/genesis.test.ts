// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { asDeploymentId, asInstanceId, asInstitutionId } from '#core/bytes/ids.ts'
import { buildRegistry, keyRecord } from '#core/registry/build.ts'
import type { FoundingRecord } from '#core/registry/records.ts'
import { checkRecords } from '#core/registry/rules/genesis.ts'
import type { Signer } from '#core/ports/keys.ts'
import { seededRandom } from '#tests/deployment.ts'
import { brokenRule, deploying, draw, enrolment, found, must, stateOf, type Founded } from './members.ts'

let world: Founded
let spare: Signer

beforeAll(async () => {
  world = await found(['a', 'b'], seededRandom(31))
  spare = await draw(world.random)
})

const rule = (records: readonly FoundingRecord[]) => checkRecords(records, stateOf(records))?.rule ?? null
/** The genesis's records with those of one kind changed. */
function changed<K extends FoundingRecord['kind']>(
  kind: K,
  change: (record: Extract<FoundingRecord, { kind: K }>) => FoundingRecord | null,
): FoundingRecord[] {
  return world.records.flatMap((record) => {
    if (record.kind !== kind) return [record]
    const after = change(record as Extract<FoundingRecord, { kind: K }>)
    return after ? [after] : []
  })
}
const institution = (id: string) => ({ institution: asInstitutionId(id) })

describe('the records of a genesis', () => {
  it('are accepted as founders bring them', () => {
    expect(rule(world.records)).toBeNull()
  })

  it('occur once and include the rules, with a home that is there', () => {
    expect(rule([...world.records, must(world.records[0])])).toBe('record-twice')
    expect(rule(changed('rules', () => null))).toBe('rules')
    expect(rule(changed('rules', (rules) => ({ ...rules, home: asDeploymentId('none') })))).toBe('rules')
  })

  it('hold no key under another id, none that is revoked, and none that its owner does not name', () => {
    const revoked = { reason: 'retired' as const, suspectFrom: null, height: 0 }
    expect(rule(changed('key', (key) => ({ ...key, jwk: spare.publicKey })))).toBe('kid')
    const all = world.records.map((record) => (record.kind === 'key' ? { ...record, revoked } : record))
    expect(checkRecords(all, stateOf(all))?.rule).toBe('revoked')
    for (const stray of [
      keyRecord(spare.publicKey, 'root', institution('a')),
      keyRecord(spare.publicKey, 'recovery', institution('a')),
      keyRecord(spare.publicKey, 'root', institution('none')),
      keyRecord(spare.publicKey, 'sign', { ...institution('a'), instance: asInstanceId('a-1') }),
      keyRecord(spare.publicKey, 'head', { deployment: asDeploymentId('home-1') }),
      keyRecord(spare.publicKey, 'head', { deployment: asDeploymentId('none') }),
    ]) {
      expect(rule([...world.records, stray])).toBe('owner')
    }
  })

  it('hold no institution without its own root, recovery and sealing keys', () => {
    const { root, recovery } = world.member('b')
    const ofA = (given: object) =>
      changed('institution', (record) => (record.id === 'a' ? { ...record, ...given } : record))
    // The keys that the institution no longer names are found first.
    const without = (records: FoundingRecord[], signer: Signer) =>
      records.filter((record) => record.kind !== 'key' || record.kid !== signer.kid)
    expect(rule(without(ofA({ root: root.publicKey }), world.member('a').root))).toBe('institution-key')
    expect(rule(without(ofA({ recovery: recovery.publicKey }), world.member('a').recovery))).toBe(
      'institution-key',
    )
    expect(rule(without([...world.records], world.member('a').root))).toBe('institution-key')
    const sealing = { ...world.member('a').own[0].sealing, kid: world.link.place.id }
    expect(rule(ofA({ sealing }))).toBe('sealing-key')
    expect(rule(ofA({ status: 'removed' }))).toBe('status')
  })

  it('hold no instance or deployment without its key, without its founder, or at a taken origin', () => {
    const { instance, key } = enrolment('none', 'none-1', spare)
    expect(rule([...world.records, instance])).toBe('instance-key')
    expect(rule([...world.records, instance, key])).toBe('owner')
    const wrong = (record: FoundingRecord) =>
      record.kind === 'key' && record.kid === world.member('a').instance.kid
        ? { ...record, use: 'head' as const }
        : record
    expect(rule(world.records.map(wrong))).toBe('instance-key')
    const orphan = deploying('none', 'home-2', 'http://two.test', spare)
    expect(rule([...world.records, orphan.deployment])).toBe('deployment-key')
    expect(rule([...world.records, orphan.deployment, orphan.key])).toBe('owner')
    const double = deploying('b', 'home-2', 'http://home.test', spare)
    expect(rule([...world.records, double.deployment, double.key])).toBe('origin')
  })

  it('make a registry only as its first block, signed by the root key of a founder', async () => {
    expect(await brokenRule(world.link, world.genesis)).toBe('height')
    const { instance, root } = world.member('a')
    const byInstance = buildRegistry(world.ports, world.records, [instance, root, world.member('b').root])
    await expect(byInstance).rejects.toMatchObject({
      code: 'VIOLATION',
      message: expect.stringContaining('rule author'),
    })
    const byRecovery = buildRegistry(world.ports, world.records, [world.member('a').recovery])
    await expect(byRecovery).rejects.toMatchObject({ message: expect.stringContaining('rule author') })
    const byStranger = buildRegistry(world.ports, world.records, [spare])
    await expect(byStranger).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' })
    await expect(buildRegistry(world.ports, world.records, [])).rejects.toMatchObject({
      code: 'CONFIGURATION',
    })
  })
})
