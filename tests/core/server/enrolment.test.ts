// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from '@jest/globals'
import { codeOf } from '#core/bytes/code.ts'
import { fromBase64url, utf8 } from '#core/bytes/encoding.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { parseJws, signJws } from '#core/block/jws.ts'
import { approvingChange, refusalOf, sendApproval, sendRefusal } from '#core/client/enrol/answer.ts'
import { enrolmentStanding, readEnrolments, sendEnrolment } from '#core/client/enrol/ask.ts'
import { ANSWER_RANGE, REQUEST_RANGE } from '#core/server/enrolment/rows.ts'
import * as enrolments from '#functions/registrar/enrolment-operations.ts'
import { administrator, approve, makeMachine, type Machine } from '#tests/core/client/enrol/machine.ts'
import { testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { ask } from '#tests/http/ask.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
let world: TestDeployment
let machine: Machine

beforeEach(async () => {
  world = await testDeployment()
  machine = await makeMachine(world)
})

const send = ({ connection, asked }: Machine = machine) => sendEnrolment(connection.ports, asked.compact)
const refused = (code: string) => ({ code })
const rows = (range: { from: string; to: string }) =>
  world.platform.table('enrolments').range('hospital-a', range)
const root = () => world.institution('hospital-a').root

describe('a request to be enrolled', () => {
  it('lives for an hour from its own time, and is not dated ahead', async () => {
    world.clock.now += HOUR_MS
    expect(await send()).toMatchObject({ state: 'waiting', expires: toTimestamp(world.clock.now) })
    world.clock.now += 1
    expect(await send()).toMatchObject({ state: 'expired' })
    const late = await makeMachine(world, { instance: 'ward-8' })
    world.clock.now += HOUR_MS + 1
    await expect(send(late)).rejects.toMatchObject(refused('GONE'))
    const early = await makeMachine(world, { instance: 'ward-9' })
    world.clock.now -= 121_000
    await expect(send(early)).rejects.toMatchObject(refused('CLOCK_SKEW'))
  })

  it('is refused where anything in it is of another form, or it is signed for something else', async () => {
    const payload = parseJws(machine.asked.compact, 'ampere-enrolment+jws').payload as Record<string, unknown>
    const spoilt = [
      { ...payload, more: 1 },
      { ...payload, v: 2 },
      { ...payload, sealTo: 'AAAA' },
      { ...payload, capabilities: ['create', 'control'] },
      { ...payload, capabilities: ['everything'] },
      { ...payload, instance: '../x' },
      { ...payload, nonce: '' },
      ...Object.keys(payload).map((name) =>
        Object.fromEntries(Object.entries(payload).filter(([other]) => other !== name)),
      ),
    ]
    for (const given of spoilt) {
      const body = utf8(await signJws('ampere-enrolment+jws', given, machine.signer))
      expect((await ask(world, enrolments.askToEnrol, { body })).status).toBe(400)
    }
    const other = utf8(await signJws('ampere-pairing+jws', payload, machine.signer))
    expect((await ask(world, enrolments.askToEnrol, { body: other })).status).toBe(400)
    expect((await ask(world, enrolments.askToEnrol, { body: new Uint8Array(16 * 1024 + 1) })).status).toBe(
      413,
    )
    expect(await rows(REQUEST_RANGE)).toEqual([])
  })

  it('asks an institution that the registry has', async () => {
    const payload = { ...machine.asked.request, institution: 'nobody' }
    const compact = await signJws('ampere-enrolment+jws', payload, machine.signer)
    await expect(sendEnrolment(machine.connection.ports, compact)).rejects.toMatchObject(refused('NOT_FOUND'))
  })

  it('lies in the place that its code names, one of 1,024, whose newest it is', async () => {
    await send()
    const [row, ...others] = await rows(REQUEST_RANGE)
    expect(others).toEqual([])
    expect(row?.key).toBe(`request/${codeOf(fromBase64url(machine.asked.id)).slice(0, 2)}`)
    for (let i = 0; i < 60; i++) await send(await makeMachine(world, { instance: `ward-${i}`, reads: false }))
    const all = await readEnrolments(administrator(world), { most: 1000 })
    expect(all.length).toBe((await rows(REQUEST_RANGE)).length)
    expect(all.length).toBeGreaterThan(50)
    expect((await readEnrolments(administrator(world), { most: 10 })).length).toBeLessThanOrEqual(50)
  })
})

describe('an answer', () => {
  it('is taken once, and the same verdict again is answered as it stands', async () => {
    await send()
    await sendRefusal(administrator(world), machine.asked, root(), 'no')
    await sendRefusal(administrator(world), machine.asked, root(), 'another reason')
    const { answer } = await enrolmentStanding(machine.connection.ports, machine.asked)
    expect(parseJws(answer ?? '', 'ampere-enrolment-answer+jws').payload).toMatchObject({ reason: 'no' })
    const change = approvingChange(machine.asked, toTimestamp(world.clock.now + DAY_MS))
    await world.change('hospital-a', [change])
    const admin = administrator(world)
    await admin.sync.refreshRegistry()
    const approving = sendApproval(admin, machine.asked, root(), { seed: null, log: [] })
    await expect(approving).rejects.toMatchObject(refused('ALREADY_EXISTS'))
  })

  it('that refuses is to a request that waits; one that approves, to a key that the registry has', async () => {
    const refusing = sendRefusal(administrator(world), machine.asked, root(), 'no')
    await expect(refusing).rejects.toMatchObject(refused('NOT_FOUND'))
    await send()
    const admin = administrator(world)
    await admin.sync.refreshRegistry()
    await expect(sendApproval(admin, machine.asked, root(), { seed: null, log: [] })).rejects.toMatchObject(
      refused('NOT_FOUND'),
    )
    // Approved a moment before the hour was over, told a moment after it.
    await world.change('hospital-a', [approvingChange(machine.asked, toTimestamp(world.clock.now + DAY_MS))])
    world.clock.now += HOUR_MS + 1
    await admin.sync.refreshRegistry()
    await sendApproval(admin, machine.asked, root(), { seed: null, log: [] })
    expect(await send()).toMatchObject({ state: 'approved', standing: 'active' })
  })

  it('is about the request in its path, of this registry, and of now', async () => {
    await send()
    const other = await makeMachine(world, { instance: 'ward-8' })
    const refusal = utf8(await refusalOf(administrator(world), machine.asked, root(), 'no'))
    const wrong = await ask(world, enrolments.answerEnrolment, {
      path: { id: other.asked.id },
      body: refusal,
    })
    expect(wrong.status).toBe(400)
    world.clock.now += 121_000
    const late = await ask(world, enrolments.answerEnrolment, {
      path: { id: machine.asked.id },
      body: refusal,
    })
    expect(await late.json()).toMatchObject({ code: 'CLOCK_SKEW' })
  })

  it('approves no key whose instance has expired', async () => {
    await world.change('hospital-a', [approvingChange(machine.asked, toTimestamp(world.clock.now + DAY_MS))])
    const admin = administrator(world)
    await admin.sync.refreshRegistry()
    world.clock.now += DAY_MS + 1
    const approving = sendApproval(admin, machine.asked, root(), { seed: null, log: [] })
    await expect(approving).rejects.toMatchObject(refused('VERIFICATION_FAILED'))
  })

  it('is kept for a day, and what is sealed in it goes with the next one after that', async () => {
    await send()
    await approve(world, machine.asked.code)
    world.clock.now += DAY_MS + 1
    const next = await makeMachine(world, { instance: 'ward-8' })
    await send(next)
    await approve(world, next.asked.code)
    expect((await rows(ANSWER_RANGE)).map(({ key }) => key)).toEqual([`answer/${next.asked.id}`])
  })
})

describe('the list of requests', () => {
  it('is shown to who is of the institution, and of nobody else', async () => {
    await send()
    expect((await ask(world, enrolments.listEnrolments, { signer: null })).status).toBe(401)
    const { signer } = machine
    expect((await ask(world, enrolments.listEnrolments, { signer })).status).toBe(401)
    const { recovery, second } = world.institution('hospital-a')
    expect((await ask(world, enrolments.listEnrolments, { signer: recovery })).status).toBe(401)
    const mine = await (await ask(world, enrolments.listEnrolments, { signer: second })).json()
    expect(mine).toMatchObject({ items: [{ state: 'waiting' }], next: null })
    const theirs = world.institution('hospital-b').root
    expect(await (await ask(world, enrolments.listEnrolments, { signer: theirs })).json()).toEqual({
      items: [],
      next: null,
    })
  })
})
