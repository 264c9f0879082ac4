// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { testBridge, type BridgeWorld } from '#tests/bridge-world.ts'
import { testDeployment } from '#tests/deployment.ts'
import { bundle, JSON_TYPE, observation, patient, send } from './requests.ts'

const post = async (to: BridgeWorld, body: string) => send(to, 'POST', '/fhir', body)
const MESSAGE = bundle('transaction', [patient('p1'), observation('o1', 'p1')])

async function hospital() {
  const deployment = await testDeployment(['hospital-a'])
  return { deployment, a: testBridge(deployment, 'hospital-a') }
}

describe('writes that come at once', () => {
  it('file one message once, though it is sent again before it was answered', async () => {
    const { a } = await hospital()
    await send(a, 'POST', '/fhir', bundle('transaction', [patient('p1')]))
    const answers = await Promise.all([MESSAGE, MESSAGE, MESSAGE].map((body) => post(a, body)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    const { projection } = await a.bridge.record('p1')
    expect(projection.resources.get('Observation/o1')?.versions).toHaveLength(1)
    expect(projection.findings.length).toBe(new Set(projection.findings.map(({ id }) => id)).size)
  })

  it('make one record of a patient who was not known', async () => {
    const { a, deployment } = await hospital()
    const answers = await Promise.all([MESSAGE, MESSAGE].map((body) => post(a, body)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    let chains = 0
    for (const shard of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
      chains += (await deployment.platform.table('chains').range(shard)).length
    expect(chains).toBe(2)
  })

  it('let one of two updates of the same version through', async () => {
    const { a } = await hospital()
    await send(a, 'POST', '/fhir', MESSAGE)
    const etag = (await send(a, 'GET', '/fhir/Observation/o1')).headers.get('etag') ?? ''
    const put = (text: string) =>
      send(a, 'PUT', '/fhir/Observation/o1', JSON.stringify(observation('o1', 'p1', { note: [{ text }] })), {
        ...JSON_TYPE,
        'if-match': etag,
      })
    const answers = await Promise.all([put('one'), put('two')])
    expect(answers.map(({ status }) => status).toSorted((x, y) => x - y)).toEqual([200, 412])
    const [left] = answers.filter(({ status }) => status === 200)
    const now = (await send(a, 'GET', '/fhir/Observation/o1')).headers.get('etag')
    const again = await Promise.all([
      send(a, 'DELETE', '/fhir/Observation/o1', undefined, { 'if-match': now ?? '' }),
      send(a, 'PUT', '/fhir/Observation/o1', JSON.stringify(observation('o1', 'p1', { note: [] })), {
        ...JSON_TYPE,
        'if-match': now ?? '',
      }),
    ])
    expect(left?.headers.get('etag')).toBe(now)
    expect(again.filter(({ status }) => status < 300)).toHaveLength(1)
  })
})
