// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { issuePairingCode, joinRecord } from '#core/bridge/file/pair.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { testBridge, type BridgeWorld } from '#tests/bridge-world.ts'
import { testDeployment } from '#tests/deployment.ts'
import { bundle, json, observation, patient, send } from './requests.ts'

it('an institution cannot take the id under which another one’s resource is served elsewhere', async () => {
  const deployment = await testDeployment(['hospital-a', 'hospital-b', 'clinic-c'])
  const [a, b, c] = ['hospital-a', 'hospital-b', 'clinic-c'].map((name) => testBridge(deployment, name))
  if (!a || !b || !c) throw new Error('three bridges are expected')
  await send(a, 'POST', '/fhir', bundle('transaction', [patient('p1'), observation('o1', 'p1')]))
  const join = async (world: BridgeWorld, id: string) => {
    const code = await issuePairingCode(a.bridge, 'p1')
    const asked = await world.bridge.ports.client.requestPairing(code)
    const answer = await json(send(a, 'POST', '/pairing', asked, { 'content-type': 'application/jose' }))
    await joinRecord(world.bridge, id, answer['chain'] as ChainId)
  }
  await join(b, 'mrn-b')
  await join(c, 'mrn-c')
  await b.bridge.record('mrn-b')
  const before = await json(send(b, 'GET', '/fhir/Observation/o1'))
  const other = observation('o1', 'mrn-c', { valueQuantity: { value: 7, unit: 'kg' } })
  await send(c, 'POST', '/fhir', bundle('transaction', [patient('mrn-c'), other]))
  expect(await json(send(b, 'GET', '/fhir/Observation/o1'))).toEqual(before)
})
