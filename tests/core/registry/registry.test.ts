// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { toBase64url } from '#core/bytes/encoding.ts'
import { asInstitutionId } from '#core/bytes/ids.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { institutionRecords } from '#core/registry/build.ts'
import {
  emptyState,
  getRecord,
  proveRecord,
  putRecords,
  stateRoot,
  verifyRecordProof,
} from '#core/registry/state.ts'
import { instanceRecords, makeSigner, testDeployment } from '#tests/deployment.ts'

async function newInstitution(id: string, random: (n: number) => Uint8Array<ArrayBuffer>) {
  const [root, recovery] = [await makeSigner(random), await makeSigner(random)]
  const [record] = institutionRecords({
    id: asInstitutionId(id),
    name: id,
    root: root.publicKey,
    recovery: recovery.publicKey,
    sealingKey: sealingPublicKey(random(32)),
  })
  return { root, recovery, record }
}

describe('the registry', () => {
  it('admits and expels by more than half of its members; the one to be expelled has no vote', async () => {
    const world = await testDeployment(['a', 'b', 'c'])
    const { record } = await newInstitution('new', world.random)
    const admit = { act: 'admit' as const, institution: record }
    const majority = { code: 'VIOLATION', message: expect.stringContaining('majority') }
    await expect(world.change('a', [admit], ['a'])).rejects.toMatchObject(majority)
    await world.change('a', [admit], ['a', 'b'])
    const remove = { act: 'remove' as const, institution: asInstitutionId('c') }
    await expect(world.change('a', [remove], ['a', 'c'])).rejects.toMatchObject(majority)
    await world.change('a', [remove], ['a', 'b'])
    const history = await world.home.registry.refresh()
    expect(history.newest().get('institution/c')).toMatchObject({ status: 'removed' })
    await expect(world.change('c', [admit], ['a', 'b'])).rejects.toMatchObject({
      message: expect.stringContaining('author'),
    })
  })

  it('lets an institution enrol and revoke its own instances, and nobody else do it', async () => {
    const world = await testDeployment(['a', 'b'])
    const signer = await makeSigner(world.random)
    const enrol = {
      act: 'enrol' as const,
      ...instanceRecords('a-9', asInstitutionId('a'), signer, ['create']),
    }
    await expect(world.change('b', [enrol])).rejects.toMatchObject({
      message: expect.stringContaining('enrol'),
    })
    await world.change('a', [enrol])
    const revoke = {
      act: 'revoke' as const,
      kid: signer.kid,
      reason: 'compromised' as const,
      suspectFrom: null,
    }
    await expect(world.change('b', [revoke])).rejects.toMatchObject({
      message: expect.stringContaining('revoke'),
    })
    await world.change('a', [revoke])
    await expect(world.change('a', [{ ...enrol, instance: { ...enrol.instance } }])).rejects.toMatchObject({
      message: expect.stringContaining('kid-owner'),
    })
    const stolen = { act: 'enrol' as const, ...instanceRecords('b-9', asInstitutionId('b'), signer, []) }
    await expect(world.change('b', [stolen])).rejects.toMatchObject({
      message: expect.stringContaining('kid-owner'),
    })
  })

  it('keeps what it was at every height, so that a block is judged by the head that it names', async () => {
    const world = await testDeployment(['a'])
    const { kid } = world.institution('a').instance
    await world.change('a', [{ act: 'revoke', kid, reason: 'retired', suspectFrom: null }])
    const history = await world.home.registry.refresh()
    const before = history.viewAt({ height: 0, id: world.registryId })
    expect(before?.get(`key/${kid}`)).toMatchObject({ revoked: null })
    expect(history.newest().get(`key/${kid}`)).toMatchObject({ revoked: { reason: 'retired', height: 1 } })
    expect(history.viewAt({ height: 1, id: world.registryId })).toBeNull()
  })

  it('proves single records, present and absent, against its root, and nothing else', async () => {
    const world = await testDeployment(['a', 'b'])
    const history = await world.home.registry.refresh()
    const link = history.link()
    if (!link) throw new Error('the registry is empty')
    const root = stateRoot(link.state)
    for (const key of [
      'institution/a',
      'institution/none',
      `key/${world.institution('b').root.kid}`,
      'rules',
    ]) {
      const proof = proveRecord(link.state, key)
      expect(verifyRecordProof(proof, key, root)).toEqual(getRecord(link.state, key))
      const [first = ''] = proof.hashes
      const wrong = { ...proof, hashes: [toBase64url(new Uint8Array(32)), ...proof.hashes.slice(1)] }
      expect(first).toHaveLength(43)
      expect(() => verifyRecordProof(wrong, key, root)).toThrow(
        expect.objectContaining({ code: 'PROOF_INVALID' }),
      )
      expect(() => verifyRecordProof({ ...proof, bucket: '[]' }, 'institution/a', root)).toThrow(
        expect.objectContaining({ code: 'PROOF_INVALID' }),
      )
    }
  })

  it('has a root that depends on its records alone, not on the order or batching of what put them there', () => {
    const rules = (n: number) => ({
      v: 1 as const,
      kind: 'deployment' as const,
      id: `d-${n}` as never,
      institution: 'a' as never,
      origin: `http://${n}`,
      kid: toBase64url(new Uint8Array(32)) as never,
    })
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(5000), { minLength: 1, maxLength: 12 }), (numbers) => {
        const records = numbers.map(rules)
        const together = putRecords(emptyState(), records)
        const apart = records
          .toReversed()
          .reduce((state, record) => putRecords(state, [record]), emptyState())
        expect(stateRoot(apart)).toBe(stateRoot(together))
      }),
      { numRuns: 15 },
    )
  })
})
