// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { testBridge } from '#tests/bridge-world.ts'
import { testDeployment } from '#tests/deployment.ts'

const DEMO = new URL('../../demo/', import.meta.url)
const EXPECTED = JSON.parse(readFileSync(new URL('expected-findings.json', DEMO), 'utf8')) as string[]
const message = (name: string) => readFileSync(new URL(`${name}.json`, DEMO))

describe('the demo', () => {
  it.each([[['hospital-a', 'hospital-b']], [['hospital-b', 'hospital-a']]])(
    'has exactly the expected findings when %j send in this order',
    async (order) => {
      const world = await testDeployment(['hospital-a', 'hospital-b'])
      const [first = '', second = ''] = order
      const bridges = { [first]: testBridge(world, first), [second]: testBridge(world, second) }
      const one = bridges[first]
      const two = bridges[second]
      if (!one || !two) throw new Error('two hospitals')
      const report = await one.bridge.import(message(first), 'fhir+json')
      const { chain, patientId } = report.filed[0] ?? { chain: null, patientId: '' }
      if (!chain) throw new Error('nothing was filed')
      const compartments = (await one.connection.replica(chain)).link.state.compartments.map(
        (item) => item.id,
      )
      const grant = {
        institution: world.institution(second).id,
        rights: ['append' as const, 'read' as const],
        compartments,
        until: null,
        limits: null,
      }
      await changeChain(one.connection, chain, { grant: [grant] })
      await two.bridge.ports.store.patients.link(patientId, chain)
      const other = await two.bridge.import(message(second), 'fhir+json')
      const quarantined = [...report.quarantined, ...other.quarantined]
      expect(quarantined).toHaveLength(1)
      await bridges['hospital-a']?.bridge.import(message('correction'), 'fhir+json')
      for (const { bridge } of [one, two]) await bridge.recheck(patientId)
      const { projection } = await one.bridge.record(patientId)
      expect(
        projection.findings
          .map((finding) => `${String(finding['rule'])} ${String(finding['title'])}`)
          .toSorted(),
      ).toEqual(EXPECTED)
    },
    60_000,
  )

  it('is made again, byte for byte, from the sample that it comes from', () => {
    const names = ['hospital-a', 'hospital-b', 'correction']
    const before = names.map((name) => message(name).toString('base64'))
    const sample = fileURLToPath(
      new URL(
        '../samples/synthea-r4/Janine_Purdy_2faebad1-a5a5-45c5-b19c-a8f8cc5b55e1.json',
        import.meta.url,
      ),
    )
    execFileSync(process.execPath, [fileURLToPath(new URL('build.ts', DEMO)), sample])
    expect(names.map((name) => message(name).toString('base64'))).toEqual(before)
  })
})
