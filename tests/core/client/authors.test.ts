// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import type { Controller } from '#core/block/block.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { setControllers } from '#core/client/acts/share-record.ts'
import { connect } from '#core/client/connect.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { instanceRecords, makeSigner, memorySeen, ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

it('a device stays a device, though an institution enrols its key as one of its own instances', async () => {
  const world = await testDeployment(['hospital-a', 'hospital-b'])
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const device = await makeSigner(world.random)
  const seed = world.random(32)
  const sealing = toBase64url(sealingPublicKey(seed))
  const patient = { kind: 'device', kid: device.kid, jwk: device.publicKey, sealing } as Controller
  const { members } = (await a.replica(record)).link.state.controllers
  const { instance } = world.institution('hospital-a')
  await setControllers(a, record, { threshold: 1, members: [...members, patient] }, [instance, device])
  const squatted = instanceRecords('b-9', world.institution('hospital-b').id, device, [])
  await world.change('hospital-b', [{ act: 'enrol', ...squatted }])
  const identity = { reader: device.kid, institution: null, signer: device, sealingSeed: async () => seed }
  const phone = connect({ ...a.ports, identity, seen: memorySeen() })
  await a.append(record, [entry('of the hospital')])
  await phone.append(record, [entry('of the patient')])
  for (const reader of [phone, a])
    expect((await reader.read(record)).opened.map(({ institution }) => institution)).toEqual([
      'hospital-a',
      null,
    ])
})
