// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { issuePairingCode } from '#core/bridge/file/pair.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { encodeHeader } from '#core/record/entry.ts'
import { testBridge } from '#tests/bridge-world.ts'
import { testDeployment } from '#tests/deployment.ts'
import { bundle, json, observation, patient, send } from './requests.ts'

const HEAVY = observation('o1', 'p1', {
  valueQuantity: { value: 700, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
})

it('a finding is not kept off the record by another one that was filed under its id', async () => {
  const deployment = await testDeployment(['hospital-a', 'hospital-b'])
  const [a, b] = ['hospital-a', 'hospital-b'].map((name) => testBridge(deployment, name))
  if (!a || !b) throw new Error('two bridges are expected')
  // What hospital-a will find, as hospital-b can compute it before.
  const twin = testBridge(await testDeployment(['hospital-a', 'hospital-b']), 'hospital-a')
  await send(twin, 'POST', '/fhir', bundle('transaction', [patient('p1'), HEAVY]))
  const expected = (await twin.bridge.record('p1')).projection.findings
  const [first] = expected
  if (!first) throw new Error('a finding is expected')
  await send(a, 'POST', '/fhir', bundle('transaction', [patient('p1')]))
  const code = await issuePairingCode(a.bridge, 'p1')
  const asked = await b.bridge.ports.client.requestPairing(code)
  const answer = await json(send(a, 'POST', '/pairing', asked, { 'content-type': 'application/jose' }))
  const content = utf8(JSON.stringify({ ...first, severity: 'info', message: 'nothing to see' }))
  const header = encodeHeader({
    v: 1,
    source: 'hospital-b',
    type: 'Finding',
    id: first.id,
    fullUrl: null,
    version: null,
    time: null,
    status: 'current',
    supersedes: null,
    labels: [],
    origin: { format: 'fhir+json', hash: digestOf(content), received: '2026-11-01T08:00:00.000Z' as never },
    media: 'application/vnd.ampere.finding+json',
  })
  await b.connection.append(answer['chain'] as ChainId, [{ header, content, compartment: 'general' }])
  await send(a, 'POST', '/fhir', bundle('transaction', [patient('p1'), HEAVY]))
  const found = (await a.bridge.record('p1')).projection.findings
  for (const { id, severity } of expected)
    expect(found).toContainEqual(expect.objectContaining({ id, severity, filedBy: 'hospital-a' }))
})
