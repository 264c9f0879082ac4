// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { testDeployment, ORIGIN, makeSigner } from '#tests/deployment.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { toBase64url } from '#core/bytes/encoding.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string, compartment = 'general') => ({
  header: utf8('{}'),
  content: utf8(text),
  compartment,
})

describe('a record from creation to erasure, through HTTP', () => {
  it('is written by one institution and read by another that was granted it', async () => {
    const world = await testDeployment()
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['general', 'mental-health'])
    const filed = await a.append(record, [entry('one'), entry('two', 'mental-health')])
    expect(filed.map((item) => item.height)).toEqual([2, 2])
    const b = world.connect('hospital-b')
    await expect(b.read(record)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const general = [...(await a.keyring(await a.replica(record))).names].find(
      ([, name]) => name === 'general',
    )
    await changeChain(a, record, {
      grant: [
        {
          institution: world.institution('hospital-b').id,
          rights: ['append', 'read'],
          compartments: general ? [general[0]] : [],
          until: null,
          limits: null,
        },
      ],
    })
    const view = await b.read(record)
    expect(view.opened.map((item) => new TextDecoder().decode(item.content))).toEqual(['one'])
    expect(view.closed.map((item) => item.status)).toEqual(['not-granted'])
  })

  it('shows nothing new to a reader that was removed, and the old to one that joins', async () => {
    const world = await testDeployment()
    const a = world.connect('hospital-a')
    const b = world.connect('hospital-b')
    const { record } = await createRecord(a, HOME, ['general'])
    await a.append(record, [entry('before')])
    const compartments = (await a.replica(record)).link.state.compartments.map((item) => item.id)
    const grant = {
      institution: world.institution('hospital-b').id,
      rights: ['read' as const],
      compartments,
      until: null,
      limits: null,
    }
    await changeChain(a, record, { grant: [grant] })
    expect((await b.read(record)).opened).toHaveLength(1)
    await changeChain(a, record, { revoke: [grant.institution] })
    await a.append(record, [entry('after')])
    await expect(b.read(record)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await changeChain(a, record, { grant: [grant] })
    await rotateChain(a, record)
    await a.append(record, [entry('later')])
    expect((await world.connect('hospital-b').read(record)).opened).toHaveLength(3)
    expect((await world.connect('hospital-a').read(record)).opened).toHaveLength(3)
  })

  it('opens for a reader whose grant grows in the same epoch what it was granted later', async () => {
    const world = await testDeployment()
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['general', 'mental-health'])
    await a.append(record, [entry('one'), entry('two', 'mental-health')])
    const { names } = await a.keyring(await a.replica(record))
    const general = [...names].flatMap(([id, name]) => (name === 'general' ? [id] : []))
    const institution = world.institution('hospital-b').id
    const grant = { institution, rights: ['read' as const], until: null, limits: null }
    await changeChain(a, record, { grant: [{ ...grant, compartments: general }] })
    const b = world.connect('hospital-b')
    expect((await b.read(record)).opened).toHaveLength(1)
    await changeChain(a, record, { grant: [{ ...grant, compartments: [...names.keys()] }] })
    expect((await b.read(record)).opened).toHaveLength(2)
  })

  it('erases an entry at once when the patient alone decides, and after 72 hours otherwise', async () => {
    const world = await testDeployment()
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['general'])
    const [first, second] = await a.append(record, [entry('one'), entry('two')])
    const device = await makeSigner(world.random)
    const sealing = toBase64url(sealingPublicKey(world.random(32)))
    const controllers = {
      threshold: 1,
      members: [
        { kind: 'institution' as const, institution: world.institution('hospital-a').id },
        { kind: 'device' as const, kid: device.kid, jwk: device.publicKey, sealing },
      ],
    }
    await changeChain(a, record, { controllers }, [world.institution('hospital-a').instance, device])
    if (!first || !second) throw new Error('two entries were filed')
    const erasure = { scope: 'entries' as const, entries: [first], ground: 'patient-request' as const }
    const request = await requestErasure(a, record, erasure, { patient: [device] })
    await settleErasure(a, record, request.block.height, 'complete')
    const view = await a.read(record)
    expect(view.opened.map((item) => item.id)).toEqual([second.id])
    expect(view.closed.map((item) => [item.id, item.status])).toEqual([[first.id, 'erased']])
    const { instance, second: other } = world.institution('hospital-a')
    const slow = await requestErasure(
      a,
      record,
      { ...erasure, entries: [second] },
      { instances: [instance, other] },
    )
    await expect(settleErasure(a, record, slow.block.height, 'complete')).rejects.toMatchObject({
      code: 'VIOLATION',
    })
    world.clock.now += 73 * 3_600_000
    await settleErasure(a, record, slow.block.height, 'complete')
    expect((await a.read(record)).closed.map((item) => item.status)).toEqual(['erased', 'erased'])
  })
})
