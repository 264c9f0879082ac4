// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { memoryTable } from '#adapters/memory/table.ts'
import { joinRecord } from '#core/bridge/file/pair.ts'
import { asInstitutionId } from '#core/bytes/ids.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { AmpereError } from '#core/errors.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { problemResponse } from '#functions/host/problem.ts'
import { testBridge } from '#tests/bridge-world.ts'
import { testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { bundle, observation, patient, send } from './requests.ts'

const HEAVY = observation('o1', 'p1', {
  valueQuantity: { value: 700, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
})

async function hospitals() {
  const deployment = await testDeployment(['hospital-a', 'hospital-b'])
  const kept = { table: memoryTable(), key: deployment.random(32) }
  /** A process of hospital-a, whose bridge's table outlives it. */
  const a = (fetch?: Fetch) => testBridge(through(deployment, fetch), 'hospital-a', kept)
  await send(a(), 'POST', '/fhir', bundle('transaction', [patient('p1'), HEAVY]))
  const { chain } = await a().bridge.record('p1')
  return { deployment, a, chain }
}

function through(deployment: TestDeployment, fetch?: Fetch): TestDeployment {
  return fetch ? { ...deployment, connect: (name) => deployment.connect(name, { fetch }) } : deployment
}

describe('an entry that opens later than its neighbours', () => {
  it('is found by its id once the grant covers its compartment, at once and after a restart', async () => {
    const { deployment, a, chain } = await hospitals()
    const { connection, bridge } = a()
    const version = (await bridge.record('p1')).projection.resources.get('Observation/o1')?.versions[0]
    const compartments = ['general', 'unclassified', 'genetic'].filter(
      (name) => name !== version?.entry.compartmentName,
    )
    const grant = { institution: asInstitutionId('hospital-b'), rights: ['append', 'read'] as const }
    await shareRecord(connection, chain, { ...grant, rights: [...grant.rights], compartments })
    const kept = { table: memoryTable(), key: deployment.random(32) }
    const b = testBridge(deployment, 'hospital-b', kept)
    await joinRecord(b.bridge, 'mrn-1', chain)
    await b.bridge.record('mrn-1')
    await shareRecord(connection, chain, { ...grant, rights: [...grant.rights] })
    for (const world of [b, testBridge(deployment, 'hospital-b', kept)]) {
      await world.bridge.record('mrn-1')
      expect((await send(world, 'GET', '/fhir/Observation/o1')).status).toBe(200)
    }
  })

  it('does not come back after it was erased, though a delivery was half there when it was read', async () => {
    const { deployment, a, chain } = await hospitals()
    const server = a()
    let posts = 0
    const command = a(async (request) => {
      const answer = await deployment.fetch(request)
      if (request.method === 'POST' && ++posts === 1) await server.bridge.record('p1')
      return answer
    })
    // More than one block takes.
    const many = Array.from({ length: 300 }, (_, i) => observation(`m${i}`, 'p1'))
    await send(command, 'POST', '/fhir', bundle('transaction', [patient('p1'), ...many]))
    const { projection } = await server.bridge.record('p1')
    const entries = projection.resources.get('Observation/m1')?.versions.map(({ entry }) => entry) ?? []
    const { instance, second } = deployment.institution('hospital-a')
    const what = { scope: 'entries' as const, entries, ground: 'misfiled' as const }
    const asked = await requestErasure(server.connection, chain, what, { instances: [instance, second] })
    deployment.clock.now += 73 * 3_600_000
    await settleErasure(server.connection, chain, asked.block.height, 'complete')
    for (const world of [server, a()]) {
      const again = await send(world, 'PUT', '/fhir/Observation/m1', JSON.stringify(observation('m1', 'p1')))
      expect(again.status).toBe(410)
    }
  })
})

describe('a finding', () => {
  it('is not withdrawn because the home holds back what it is about', async () => {
    const { deployment, a } = await hospitals()
    const before = (await a().bridge.record('p1')).projection.findings
    expect(before).not.toEqual([])
    let hidden = ''
    const hiding: Fetch = async (request) => {
      const { pathname } = new URL(request.url)
      if (hidden === '' && pathname.includes('/objects/')) hidden = pathname
      return pathname === hidden
        ? problemResponse(new AmpereError('GONE', 'the sealed object is not here'), 'r_1')
        : deployment.fetch(request)
    }
    await a(hiding).bridge.recheck('p1')
    expect((await a().bridge.record('p1')).projection.findings).toEqual(before)
  })
})
