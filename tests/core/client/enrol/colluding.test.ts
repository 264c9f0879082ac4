// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from '@jest/globals'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { acceptAnswer } from '#core/client/enrol/accept.ts'
import {
  approvingChange,
  enrolmentByCode,
  onlyWithCode,
  sendApproval,
  sendRefusal,
} from '#core/client/enrol/answer.ts'
import { enrolmentStanding, readEnrolments, sendEnrolment } from '#core/client/enrol/ask.ts'
import { parseJws, signJws } from '#core/block/jws.ts'
import type { Signer, Fetch } from '#core/ports/keys.ts'
import {
  openEnrolment,
  parseEnrolmentAnswer,
  signEnrolmentAnswer,
  type EnrolmentAnswer,
} from '#core/registry/enrolment.ts'
import { sealSeed } from '#core/seal/handover.ts'
import { fromBase64url, toBase64url } from '#core/bytes/encoding.ts'
import { testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { administrator, approve, makeMachine, type Machine } from './machine.ts'

let world: TestDeployment
let machine: Machine

beforeEach(async () => {
  world = await testDeployment()
  machine = await makeMachine(world)
  await sendEnrolment(machine.connection.ports, machine.asked.compact)
})

/** A home that answers questions about enrolments with what it likes. */
function colluding(answer: object): Fetch {
  return async (request) =>
    new URL(request.url).pathname.startsWith('/v1/enrolments') ? Response.json(answer) : world.fetch(request)
}

const failed = (message: RegExp) => ({ code: 'VERIFICATION_FAILED', message: expect.stringMatching(message) })

/** What the machine makes of an answer. */
const accept = (compact: string, by: Machine = machine) =>
  acceptAnswer(by.connection, by.asked, compact, by.openWith)

/** The true answer, after approval, with something else in it, signed by whom one likes. */
async function forged(given: Partial<Extract<EnrolmentAnswer, { answer: 'approved' }>>, signer: Signer) {
  const { answer } = await enrolmentStanding(machine.connection.ports, machine.asked)
  const said = parseEnrolmentAnswer(answer ?? '').answer as Extract<EnrolmentAnswer, { answer: 'approved' }>
  return signEnrolmentAnswer({ ...said, ...given }, signer)
}

describe('a home that swaps the request', () => {
  it('is found out by the code, of which every character counts', async () => {
    const own = await makeMachine(world)
    const fetch = colluding({ items: [{ request: own.asked.compact, state: 'waiting' }], next: null })
    const admin = administrator(world, fetch)
    await expect(enrolmentByCode(admin, machine.asked.code)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    for (let i = 0; i < machine.asked.code.length; i++) {
      const near = machine.asked.code.replace(
        new RegExp(`^(.{${i}}).`),
        (_, before: string) => `${before}${machine.asked.code[i] === '0' ? '1' : '0'}`,
      )
      const close = [{ ...machine.asked, code: near, state: 'waiting' as const }]
      expect(() => onlyWithCode(close, machine.asked.code)).toThrow('no request has this code')
    }
  })

  it('that makes another one to fit the code gets neither approved', async () => {
    const own = await makeMachine(world)
    const shown = [machine, own].map(({ asked }) => ({
      ...asked,
      code: machine.asked.code,
      state: 'waiting' as const,
    }))
    expect(() => onlyWithCode(shown, machine.asked.code)).toThrow('2 requests have this code')
    expect(onlyWithCode([shown[0] as never, shown[0] as never], machine.asked.code).id).toBe(machine.asked.id)
  })

  it('cannot bring a key that is not its own, or change what was signed', async () => {
    const own = await makeMachine(world)
    const { payload } = parseJws(machine.asked.compact, 'ampere-enrolment+jws')
    const stolen = await signJws('ampere-enrolment+jws', payload, own.signer)
    await expect(openEnrolment(stolen, world.home.verifiers)).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    })
    await expect(sendEnrolment(machine.connection.ports, stolen)).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
    })
  })

  it('cannot show a request to another institution or registry', async () => {
    const elsewhere = await testDeployment(['hospital-a'], { seed: 99 })
    const foreign = await makeMachine(elsewhere)
    const fetch = colluding({ items: [{ request: foreign.asked.compact, state: 'waiting' }], next: null })
    const shown = readEnrolments(administrator(world, fetch), { code: foreign.asked.code, most: 4 })
    await expect(shown).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    await expect(sendEnrolment(machine.connection.ports, foreign.asked.compact)).rejects.toMatchObject({
      code: 'REQUEST_MALFORMED',
    })
  })
})

describe('a home that makes up an answer', () => {
  it('says approved in vain while the registry lacks the key, and refused without the root key', async () => {
    const { root } = world.institution('hospital-a')
    const { id, request } = machine.asked
    const common = {
      v: 1 as const,
      registry: request.registry,
      institution: request.institution,
      enrolment: id,
    }
    const kid = machine.signer.kid
    const time = toTimestamp(world.clock.now)
    const none = { ...common, kid, time, answer: 'approved' as const, height: 0, log: [], seed: null }
    await expect(accept(await signEnrolmentAnswer(none, root))).rejects.toMatchObject(
      failed(/does not have the key/),
    )
    const refusal = { ...common, kid, time, answer: 'refused' as const, reason: 'go away' }
    for (const signer of [
      machine.signer,
      world.institution('hospital-b').root,
      world.institution('hospital-a').instance,
    ])
      await expect(accept(await signEnrolmentAnswer(refusal, signer))).rejects.toMatchObject(
        failed(/root key/),
      )
  })

  it('cannot have another institution answer, at an honest home either', async () => {
    await approve(world, machine.asked.code)
    const { root } = world.institution('hospital-b')
    await expect(accept(await forged({}, root))).rejects.toMatchObject(failed(/root key/))
    const other = await makeMachine(world, { instance: 'ward-8' })
    await sendEnrolment(other.connection.ports, other.asked.compact)
    const refused = sendRefusal(administrator(world), other.asked, root, 'no')
    await expect(refused).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    const bridge = sendRefusal(
      administrator(world),
      other.asked,
      world.institution('hospital-a').instance,
      'no',
    )
    await expect(bridge).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
  })

  it('cannot give the answer to another request, or take a seed from one to another', async () => {
    await approve(world, machine.asked.code)
    const { answer } = await enrolmentStanding(machine.connection.ports, machine.asked)
    const other = await makeMachine(world, { instance: 'ward-8' })
    await expect(accept(answer ?? '', other)).rejects.toMatchObject(failed(/another request/))
    const { root, sealingSeed } = world.institution('hospital-a')
    const sealTo = fromBase64url(machine.asked.request.sealTo ?? '')
    const { registry, institution } = machine.asked.request
    const moved = await sealSeed({ registry, institution, enrolment: other.asked.id }, sealTo, sealingSeed)
    await expect(accept(await forged({ seed: toBase64url(moved) }, root))).rejects.toMatchObject({
      code: 'OPEN_FAILED',
    })
  })

  it('cannot have the machine take another seed for that of the institution', async () => {
    await approve(world, machine.asked.code)
    const { root } = world.institution('hospital-a')
    const { id, request } = machine.asked
    const own = await sealSeed(
      { registry: request.registry, institution: request.institution, enrolment: id },
      fromBase64url(request.sealTo ?? ''),
      world.random(32),
    )
    await expect(accept(await forged({ seed: toBase64url(own) }, root))).rejects.toMatchObject({
      code: 'OPEN_FAILED',
    })
  })

  it('cannot show a registry of its own', async () => {
    const elsewhere = await testDeployment(['hospital-a'], { seed: 98 })
    const victim = await makeMachine(world, { fetch: elsewhere.fetch })
    await expect(accept(await forgedRefusal(elsewhere, victim), victim)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringMatching(/another than the pinned one/),
    })
  })

  it('is found out where the registry lists something else than was asked for', async () => {
    const { instance, ...enrol } = approvingChange(machine.asked, toTimestamp(world.clock.now + 1000))
    await world.change('hospital-a', [
      { ...enrol, instance: { ...instance, capabilities: ['control', 'create'] } },
    ])
    const admin = administrator(world)
    await admin.sync.refreshRegistry()
    const { root } = world.institution('hospital-a')
    await sendApproval(admin, machine.asked, root, { seed: null, log: [] })
    const { answer } = await enrolmentStanding(machine.connection.ports, machine.asked)
    await expect(accept(answer ?? '')).rejects.toMatchObject(failed(/something else than was asked for/))
  })
})

function forgedRefusal(elsewhere: TestDeployment, { asked, signer }: Machine): Promise<string> {
  const { registry, institution } = asked.request
  const common = { v: 1 as const, registry, institution, enrolment: asked.id, kid: signer.kid }
  const time = toTimestamp(elsewhere.clock.now)
  return signEnrolmentAnswer(
    { ...common, time, answer: 'refused', reason: 'no' },
    elsewhere.institution('hospital-a').root,
  )
}

describe('a stranger', () => {
  it('learns nothing of an institution, and answers for none', async () => {
    const asStranger = machine.connection
    await expect(readEnrolments(asStranger, { most: 4 })).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    await expect(sendRefusal(asStranger, machine.asked, machine.signer, 'no')).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    })
    const other = world.connect('hospital-b')
    expect(await readEnrolments(other, { most: 4 })).toEqual([])
  })
})
