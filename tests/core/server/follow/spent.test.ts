// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from '@jest/globals'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { sendEnrolment } from '#core/client/enrol/ask.ts'
import { renewInstance } from '#core/client/enrol/renew.ts'
import { syncRegistry } from '#core/client/read/replica.ts'
import { select } from '#core/ports/needs.ts'
import { signRevocation, type Revocation } from '#core/registry/revocation.ts'
import { showRevocation } from '#core/server/follow/show-revocation.ts'
import { REGISTRAR_NEEDS } from '#core/server/registrar.ts'
import { approve, makeMachine } from '#tests/core/client/enrol/machine.ts'
import { makeSigner, testDeployment, type TestDeployment } from '#tests/deployment.ts'

let world: TestDeployment
beforeEach(async () => {
  world = await testDeployment()
})

const said = (kid: Revocation['kid'], reason: Revocation['reason']) =>
  signRevocation(
    {
      v: 1,
      registry: world.registryId,
      kid,
      reason,
      suspectFrom: null,
      time: toTimestamp(world.clock.now),
    },
    world.institution('hospital-a').root,
  )
const show = async (statement: string) =>
  showRevocation(await select(world.platform, REGISTRAR_NEEDS), world.home, statement)

describe('a key whose revocation was shown', () => {
  it('does not renew itself to another key before the registry has the revocation', async () => {
    const { connection, signer, asked } = await makeMachine(world)
    await sendEnrolment(connection.ports, asked.compact)
    await approve(world, asked.code)
    await syncRegistry(connection.sync)
    const statement = await said(signer.kid, 'compromised')
    await show(statement)
    world.clock.now += 1000
    const next = await makeSigner(world.random)
    await expect(renewInstance(connection, signer, next)).rejects.toMatchObject({ code: 'VIOLATION' })
    const held = await world.home.registry.refresh()
    expect(held.newest().get(`key/${next.kid}`)).toBeNull()
    await world.change('hospital-a', [
      { act: 'revoke', kid: signer.kid, reason: 'compromised', suspectFrom: null },
    ])
  })
})

describe('the statement of a suspension', () => {
  it('is spent once the registry lifted it, and a later one is not', async () => {
    const { instance } = world.institution('hospital-a')
    const spent = await said(instance.kid, 'suspended')
    const revoke = { act: 'revoke' as const, reason: 'suspended' as const, suspectFrom: null }
    await world.change('hospital-a', [{ ...revoke, kid: instance.kid }])
    world.clock.now += 60_000
    await world.change('hospital-a', [{ act: 'reinstate', kid: instance.kid }])
    world.clock.now += 1000
    await expect(show(spent)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED' })
    const before = await world.home.registry.refresh()
    expect(before.newest().get(`key/${instance.kid}`)).toMatchObject({ revoked: null })
    await show(await said(instance.kid, 'suspended'))
    const after = await world.home.registry.refresh()
    expect(after.newest().get(`key/${instance.kid}`)).toMatchObject({ revoked: { reason: 'suspended' } })
  })
})
