// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { withFaults, failAt } from '#adapters/around/faults.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { rotationDue } from '#core/chain/rotation.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import {
  alignAccessChain,
  rotateRecord,
  setControllers,
  shareRecord,
  unshareRecord,
} from '#core/client/acts/share-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import { makeSigner, ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

async function setting() {
  const faults: { now?: ReturnType<typeof withFaults> } = {}
  const world = await testDeployment(['hospital-a', 'hospital-b'], {
    platform: (base) => {
      faults.now = withFaults(base)
      return faults.now.platform
    },
  })
  const a = world.connect('hospital-a')
  const { record, access } = await createRecord(a, HOME, ['general', 'genetic'])
  await a.append(record, [entry('one')])
  if (!faults.now) throw new Error('the platform was not wrapped')
  return { world, a, record, access, faults: faults.now, b: world.institution('hospital-b').id }
}

const grants = async (of: Connection, chain: Parameters<Connection['replica']>[0]) =>
  (await of.replica(chain)).link.state.grants.map(({ institution }) => institution as string)

describe('sharing a record', () => {
  it('grants the right to enter what is read, and takes both away together', async () => {
    const { a, b, record, access } = await setting()
    await shareRecord(a, record, { institution: b, rights: ['read'], compartments: ['general'] })
    expect([await grants(a, record), await grants(a, access)]).toEqual([
      ['hospital-a', 'hospital-b'],
      ['hospital-a', 'hospital-b'],
    ])
    expect(
      (await a.replica(access)).link.state.grants.find(({ institution }) => institution === b)?.rights,
    ).toEqual(['append'])
    await unshareRecord(a, record, b)
    expect([await grants(a, record), await grants(a, access)]).toEqual([['hospital-a'], ['hospital-a']])
    await expect(unshareRecord(a, record, b)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('changes nothing when it is repeated, and refuses a compartment that is not there', async () => {
    const { a, b, record } = await setting()
    await shareRecord(a, record, { institution: b, rights: ['read', 'append'] })
    const { height } = (await a.replica(record)).head
    expect(await shareRecord(a, record, { institution: b, rights: ['append', 'read'] })).toBeNull()
    expect((await a.replica(record)).head.height).toBe(height)
    const unknown = { institution: b, rights: ['read' as const], compartments: ['nothing'] }
    await expect(shareRecord(a, record, unknown)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is finished by repeating it, whatever call failed between the two chains', async () => {
    const clean = await setting()
    clean.faults.plan(() => null)
    await shareRecord(clean.a, clean.record, { institution: clean.b, rights: ['read'] })
    const calls = clean.faults.calls().length
    for (let k = 0; k < calls; k += 3) {
      const { a, b, record, access, faults } = await setting()
      faults.plan(failAt(k, 'applied-unknown'))
      const share = () => shareRecord(a, record, { institution: b, rights: ['read'] })
      await share().catch(() => null)
      faults.plan(() => null)
      await share()
      expect([await grants(a, record), await grants(a, access)]).toEqual([
        ['hospital-a', 'hospital-b'],
        ['hospital-a', 'hospital-b'],
      ])
    }
  })

  it('makes a device controller of both chains', async () => {
    const { world, a, record, access } = await setting()
    const device = await makeSigner(world.random)
    const sealing = toBase64url(sealingPublicKey(world.random(32)))
    const { members } = (await a.replica(record)).link.state.controllers
    const controllers = {
      threshold: 1,
      members: [
        ...members,
        { kind: 'device' as const, kid: device.kid, jwk: device.publicKey as never, sealing },
      ],
    }
    await setControllers(a, record, controllers, [world.institution('hospital-a').instance, device])
    expect((await a.replica(access)).link.state.controllers).toEqual(controllers)
    expect(await alignAccessChain(a, record)).toBeNull()
  })
})

describe('rotation', () => {
  it('is due for a grant that has ended, and drops it, on both chains', async () => {
    const { world, a, b, record, access } = await setting()
    const until = toTimestamp(world.clock.now + 3_600_000)
    await shareRecord(a, record, { institution: b, rights: ['read'], until })
    const due = async () => {
      const { state } = (await a.replica(record)).link
      return rotationDue(state, (await world.home.registry.refresh()).newest(), toTimestamp(world.clock.now))
    }
    expect(await due()).toEqual([])
    world.clock.now += 3_600_000
    expect(await due()).toEqual([{ institution: b, reason: 'expired' }])
    await rotateRecord(a, record)
    expect(await due()).toEqual([])
    expect(await grants(a, record)).toEqual(['hospital-a'])
    await alignAccessChain(a, record)
    expect(await grants(a, access)).toEqual(['hospital-a'])
    await a.append(record, [entry('two')])
    const reader = world.connect('hospital-b')
    await expect(reader.read(record)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is not waited for to close the record to a grant that has ended', async () => {
    const { world, a, b, record } = await setting()
    const until = toTimestamp(world.clock.now + 3_600_000)
    await shareRecord(a, record, { institution: b, rights: ['read'], until })
    const reader = world.connect('hospital-b')
    expect((await reader.read(record)).opened).toHaveLength(1)
    world.clock.now += 3_600_000
    await a.append(record, [entry('after it ended')])
    for (const connection of [reader, world.connect('hospital-b')])
      await expect(connection.read(record)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is due for an institution that the registry removed', async () => {
    const { world, a, b, record } = await setting()
    await shareRecord(a, record, { institution: b, rights: ['read'] })
    await world.change('hospital-a', [{ act: 'remove', institution: b }], ['hospital-a'])
    const { state } = (await a.replica(record)).link
    const newest = (await world.home.registry.refresh()).newest()
    expect(rotationDue(state, newest, toTimestamp(world.clock.now))).toEqual([
      { institution: b, reason: 'removed' },
    ])
    await rotateRecord(a, record)
    expect(await grants(a, record)).toEqual(['hospital-a'])
  })
})
