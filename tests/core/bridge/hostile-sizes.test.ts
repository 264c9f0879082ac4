// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { project } from '#core/bridge/serve/projection.ts'
import { isPartial } from '#core/bridge/serve/record-items.ts'
import { MAX_PAGE_BYTES } from '#core/bridge/serve/serve.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { mostJsonValues } from '#core/bytes/json-values.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { encodeHeader } from '#core/record/entry.ts'
import { testBridge, type BridgeWorld } from '#tests/bridge-world.ts'
import { testDeployment } from '#tests/deployment.ts'
import { bundle, bundleOf, observation, patient, send, type BundleJson } from './requests.ts'

async function setting() {
  const world = testBridge(await testDeployment(['hospital-a']), 'hospital-a')
  await send(world, 'POST', '/fhir', bundle('transaction', [patient('p1'), observation('o0', 'p1')]))
  return { world, chain: (await world.bridge.record('p1')).projection.view.chain }
}

/** Seals an Observation of exactly this text, which no bridge would take in. */
function appendText({ world, chain }: Awaited<ReturnType<typeof setting>>, id: string, text: string) {
  const origin = { format: 'fhir+json', hash: digestOf(utf8('')), received: '2026-11-01T08:00:00.000Z' }
  const header = encodeHeader({
    v: 1,
    source: 'hospital-a',
    type: 'Observation',
    id,
    fullUrl: null,
    version: null,
    time: null,
    status: 'current',
    supersedes: null,
    labels: [],
    origin: origin as never,
    media: 'application/fhir+json',
  })
  return world.connection.append(chain, [{ header, content: utf8(text), compartment: 'general' }])
}

const next = (page: BundleJson & { readonly link?: readonly { relation: string; url: string }[] }) =>
  page.link?.find(({ relation }) => relation === 'next')?.url.replace(/^http:\/\/[^/]+/, '')
const idsOf = (page: BundleJson) => page.entry.map(({ resource }) => resource.id)
const get = (world: BridgeWorld, path: string) => bundleOf(send(world, 'GET', path))

describe('a page', () => {
  it('holds no more bytes than it may, and leads on to what does not fit', async () => {
    const at = await setting()
    const large = (id: string, bytes: number) =>
      appendText(at, id, JSON.stringify(observation(id, 'p1')) + ' '.repeat(bytes))
    for (const id of ['o1', 'o2', 'o3']) await large(id, MAX_PAGE_BYTES / 2 - 2000)
    await large('o4', MAX_PAGE_BYTES + 1)
    const first = await get(at.world, '/fhir/Observation?patient=p1')
    expect(idsOf(first)).toEqual(['o0', 'o1', 'o2'])
    const second = await get(at.world, next(first) ?? '')
    expect(idsOf(second)).toEqual(['o3'])
    const third = await get(at.world, next(second) ?? '')
    expect([idsOf(third), next(third)]).toEqual([['o4'], undefined])
  }, 120_000)
})

describe('a projection', () => {
  it('holds no more JSON values of an author than it may, names the rest, and knows that it is partial', async () => {
    const at = await setting()
    const many = JSON.stringify({
      ...observation('o1', 'p1'),
      note: Array.from({ length: 5000 }, () => ({})),
    })
    await appendText(at, 'o1', many)
    await appendText(at, 'o2', JSON.stringify(observation('o2', 'p1')))
    const { view } = (await at.world.bridge.record('p1')).projection
    const bounded = project(view, 'hospital-a', null, 5000)
    expect([...bounded.resources.keys()].filter((name) => name.startsWith('Observation'))).toEqual([
      'Observation/o0',
      'Observation/o2',
    ])
    expect(bounded.closed.map(({ status, rule }) => `${status} ${rule}`)).toEqual([
      'unopenable reader-budget',
    ])
    expect(isPartial(bounded)).toBe(true)
    const again = project(view, 'hospital-a', bounded, 5000)
    expect([again.resources.size, again.closed.length]).toEqual([bounded.resources.size, 1])
    expect(project(view, 'hospital-a', bounded).resources.has('Observation/o1')).toBe(true)
  })

  it('counts at least every value that a text has', () => {
    const count = (value: unknown): number =>
      typeof value === 'object' && value !== null
        ? Object.values(value).reduce<number>((sum, item) => sum + count(item), 1)
        : 1
    for (const value of [
      null,
      7,
      'a,b',
      [],
      {},
      [[], [{}]],
      { a: { b: [1, 2, 3] }, c: '[,{' },
      observation('o', 'p'),
    ])
      expect(mostJsonValues(utf8(JSON.stringify(value)))).toBeGreaterThanOrEqual(count(value))
  })
})
