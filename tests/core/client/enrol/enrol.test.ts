// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { acceptAnswer } from '#core/client/enrol/accept.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { sendRefusal } from '#core/client/enrol/answer.ts'
import { enrolmentStanding, readEnrolments, sendEnrolment } from '#core/client/enrol/ask.ts'
import { makeCertificate, verifyCertificate } from '#core/client/enrol/certificate.ts'
import { openHandedOver } from './handed-over.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'
import { failEachCall, FAULTS, type Act } from '#tests/fault/each-call.ts'
import { administrator, approve, DAY_MS, DAYS, makeMachine, type Machine } from './machine.ts'
import type { TestDeployment } from '#tests/deployment.ts'

const HOUR_MS = 3_600_000

describe('a new machine', () => {
  it('becomes an app instance that reads and writes, and no key of the institution was copied to it', async () => {
    const world = await testDeployment()
    const machine = await makeMachine(world, { capabilities: ['control', 'create'] })
    expect(await sendEnrolment(machine.connection.ports, machine.asked.compact)).toMatchObject({
      state: 'waiting',
    })
    await approve(world, machine.asked.code)
    const { answer, state, standing } = await enrolmentStanding(machine.connection.ports, machine.asked)
    expect([state, standing]).toEqual(['approved', 'active'])
    const accepted = await acceptAnswer(machine.connection, machine.asked, answer ?? '', machine.openWith)
    expect(accepted).toMatchObject({ answer: 'approved', height: 1, log: ['log'] })
    const seed = openHandedOver(accepted)
    expect(seed).toEqual(world.institution('hospital-a').sealingSeed)
    const first = world.connect('hospital-a')
    const { record } = await createRecord(first, { deployment: asDeploymentId('home-1'), origin: ORIGIN }, [
      'general',
    ])
    const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })
    await first.append(record, [entry('one')])
    await machine.connection.append(record, [entry('two')])
    const { opened } = await machine.connection.read(record)
    expect(opened.map(({ content }) => fromUtf8(content))).toEqual(['one', 'two'])
  })

  it('without reading gets no seed', async () => {
    const world = await testDeployment()
    const { connection, asked } = await makeMachine(world, { reads: false })
    await sendEnrolment(connection.ports, asked.compact)
    await approve(world, asked.code)
    const { answer } = await enrolmentStanding(connection.ports, asked)
    expect(await acceptAnswer(connection, asked, answer ?? '', null)).toMatchObject({ seed: null })
  })

  it('has a certificate that anybody verifies offline, with a receipt once the log has the block', async () => {
    const world = await testDeployment()
    const { connection, asked, signer } = await makeMachine(world)
    await sendEnrolment(connection.ports, asked.compact)
    await approve(world, asked.code)
    await enrolmentStanding(connection.ports, asked)
    await world.tendLog()
    const admin = administrator(world)
    await admin.sync.refreshRegistry()
    const certificate = await makeCertificate(admin, asked.request.instance, signer.kid)
    const pins = { registry: world.registryId, origin: ORIGIN, policy: null }
    expect(certificate.receipt).not.toBeNull()
    expect(await verifyCertificate(certificate, pins, world.home.verifiers)).toMatchObject({
      height: 1,
      kid: signer.kid,
      level: null,
    })
    const refused = { code: expect.stringMatching(/^(VERIFICATION_FAILED|PROOF_INVALID|SIGNATURE_INVALID)$/) }
    for (const spoilt of [
      { ...certificate, blocks: certificate.blocks.slice(0, 1) },
      { ...certificate, kid: world.institution('hospital-a').instance.kid },
      { ...certificate, instance: world.institution('hospital-a').id as never },
      { ...certificate, registry: certificate.kid as never },
      { ...certificate, blocks: certificate.blocks.toReversed() },
    ])
      await expect(verifyCertificate(spoilt, pins, world.home.verifiers)).rejects.toMatchObject(refused)
  })

  it('is told apart as waiting, refused, expired, sent again, replayed, suspended and revoked', async () => {
    const world = await testDeployment()
    const [refused, late, approved] = [
      await makeMachine(world),
      await makeMachine(world, { instance: 'ward-8' }),
      await makeMachine(world, { instance: 'ward-9' }),
    ]
    for (const { connection, asked } of [refused, late, approved])
      await sendEnrolment(connection.ports, asked.compact)
    const root = world.institution('hospital-a').root
    await sendRefusal(administrator(world), refused.asked, root, 'not one of ours')
    const { state, answer } = await enrolmentStanding(refused.connection.ports, refused.asked)
    expect(state).toBe('refused')
    expect(await acceptAnswer(refused.connection, refused.asked, answer ?? '', refused.openWith)).toEqual({
      answer: 'refused',
      reason: 'not one of ours',
    })
    await approve(world, approved.asked.code)
    const standing = async () => (await enrolmentStanding(approved.connection.ports, approved.asked)).standing
    expect(await standing()).toBe('active')
    const revoke = (reason: 'suspended' | 'retired') =>
      world.change('hospital-a', [{ act: 'revoke', kid: approved.signer.kid, reason, suspectFrom: null }])
    await revoke('suspended')
    expect(await standing()).toBe('suspended')
    await revoke('retired')
    expect(await standing()).toBe('revoked')
    world.clock.now += HOUR_MS + 1
    const again = await sendEnrolment(late.connection.ports, late.asked.compact)
    expect(again.state).toBe('expired')
    await expect(sendRefusal(administrator(world), late.asked, root, 'too late')).rejects.toMatchObject({
      code: 'GONE',
    })
    // The same request again is answered as it stands; the same key in another request is replayed.
    expect(await sendEnrolment(approved.connection.ports, approved.asked.compact)).toMatchObject({
      state: 'approved',
    })
    const replayed = await makeMachine(world, { signer: approved.signer })
    await expect(sendEnrolment(replayed.connection.ports, replayed.asked.compact)).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
  })

  it('sends its request again when strangers pushed it out, and is found by its code among all of theirs', async () => {
    const world = await testDeployment()
    const machine = await makeMachine(world)
    await sendEnrolment(machine.connection.ports, machine.asked.compact)
    const place = machine.asked.code.slice(0, 2)
    let hit = 0
    for (let i = 0; i < 4000 && hit === 0; i++) {
      const stranger = await makeMachine(world, {
        reads: false,
        instance: `stranger-${i}`,
        signer: machine.signer,
      })
      if (stranger.asked.code.slice(0, 2) !== place) continue
      await sendEnrolment(stranger.connection.ports, stranger.asked.compact)
      hit++
    }
    expect(hit).toBe(1)
    const find = () => readEnrolments(administrator(world), { code: machine.asked.code, most: 4 })
    expect(await find()).toEqual([])
    expect(await enrolmentStanding(machine.connection.ports, machine.asked)).toMatchObject({
      state: 'waiting',
    })
    expect((await find()).map(({ id }) => id)).toEqual([machine.asked.id])
  })
})

const story: Act<{ world: TestDeployment; machine: Machine; done: { seed: unknown } }> = {
  prepare: async ({ world }) => {
    world.clock.now += 1000
    const number = Math.floor(world.clock.now / 1000)
    return { world, machine: await makeMachine(world, { instance: `ward-${number}` }), done: { seed: null } }
  },
  run: async ({ world, machine, done }) => {
    const { connection, asked, openWith } = machine
    await sendEnrolment(connection.ports, asked.compact)
    await approve(world, asked.code)
    const { answer } = await enrolmentStanding(connection.ports, asked)
    done.seed = openHandedOver(await acceptAnswer(connection, asked, answer ?? '', openWith))
  },
  check: async ({ world, machine, done }) => {
    const newest = (await world.home.registry.refresh()).newest()
    const record = newest.get(`instance/${machine.asked.request.instance}`)
    return {
      signing: record?.kind === 'instance' && record.signing === machine.signer.kid,
      seed: done.seed,
    }
  },
  get expected() {
    return { signing: true, seed: expect.any(Uint8Array) }
  },
}

describe('enrolling', () => {
  it.each(FAULTS)('is finished by doing the same again, whichever call fails: %s', async (fault) => {
    expect(await failEachCall(story, fault)).toBeGreaterThanOrEqual(3)
  })

  it('ends when the time of the instance does', async () => {
    const world = await testDeployment()
    const { connection, asked } = await makeMachine(world)
    await sendEnrolment(connection.ports, asked.compact)
    await approve(world, asked.code)
    world.clock.now += DAYS * DAY_MS
    await expect(connection.api.head('A'.repeat(43) as never)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    world.clock.now += 1
    await expect(connection.api.head('A'.repeat(43) as never)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })
})
