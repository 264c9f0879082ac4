// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { DIRECTORY } from '#core/bridge/file/group-patients.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { select } from '#core/ports/needs.ts'
import { testBridge, type BridgeWorld } from '#tests/bridge-world.ts'
import { send, type Json } from '#tests/core/bridge/requests.ts'
import { testDeployment, type TestDeployment } from '#tests/deployment.ts'

const SAMPLES = new URL('../samples/', import.meta.url)
interface Sent {
  readonly text: string
  readonly resource: Json
}

/** Every resource of a file, with its exact text. */
function resourcesIn(name: string, text: string): Sent[] {
  if (name.endsWith('.ndjson')) {
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    return lines.map((line) => ({ text: line.trim(), resource: JSON.parse(line) as Json }))
  }
  const root = JSON.parse(text) as Json & { entry?: { resource: Json }[] }
  if (root['resourceType'] !== 'Bundle') return [{ text, resource: root }]
  return (root.entry ?? []).map(({ resource }) => ({ text: '', resource }))
}

/** All files of a folder into one bridge; gives what was sent and what was refused. */
async function importFolder(world: BridgeWorld, folder: string) {
  const names = readdirSync(new URL(folder, SAMPLES)).filter((name) => name.endsWith('json'))
  // Patients first, as a bulk export lists them; the others in the order of their names.
  const ordered = names.toSorted(
    (a, b) => Number(/^patient/i.test(b)) - Number(/^patient/i.test(a)) || (a < b ? -1 : 1),
  )
  const sent: Sent[] = []
  const refused: string[] = []
  for (const name of ordered) {
    const bytes = readFileSync(new URL(`${folder}/${name}`, SAMPLES))
    const report = await world.bridge.import(bytes, name.endsWith('.ndjson') ? 'fhir+ndjson' : 'fhir+json')
    const resources = resourcesIn(name, bytes.toString())
    expect({ name, accounted: report.filed.length + report.quarantined.length }).toEqual({
      name,
      accounted: resources.length,
    })
    if (report.quarantined.length > 0) refused.push(`${name}: ${report.quarantined.length}`)
    else sent.push(...resources)
  }
  return { sent, refused }
}

/** Everything that the bridge holds, by source text and by parsed content. */
async function held(world: BridgeWorld) {
  const texts = new Set<string>()
  const byName = new Map<string, unknown[]>()
  for (const { id } of await world.bridge.ports.store.patients.list()) {
    const { projection } = await world.bridge.record(id)
    expect(projection.closed).toEqual([])
    for (const { type, versions } of projection.resources.values()) {
      for (const { entry, header } of versions) {
        const text = Buffer.from(entry.content).toString()
        texts.add(text)
        const name = `${type}/${header.id}`
        byName.set(name, [...(byName.get(name) ?? []), JSON.parse(text)])
      }
    }
  }
  return { texts, byName }
}

async function audit(world: TestDeployment) {
  const report = await auditChains(
    await select(world.platform, AUDITOR_NEEDS),
    world.home,
    listChains({ tables: { chains: world.platform.table('chains') } }),
  )
  return report.findings
}

/** `SAMPLES=all`, as in CI, imports those of many patients too, each of whom gets chains of its own. */
const FOLDERS = [
  'synthea-r4',
  ...(process.env['SAMPLES'] === 'all' ? ['us-core-examples', 'bulk-ndjson'] : []),
]

describe.each(FOLDERS)('every file of %s', (folder) => {
  it('imports, verifies, and comes back byte for byte and as equal JSON', async () => {
    const deployment = await testDeployment(['hospital-a'])
    const world = testBridge(deployment, 'hospital-a')
    const { sent, refused } = await importFolder(world, folder)
    const { texts, byName } = await held(world)
    const lost = sent.filter(({ text, resource }) => {
      const name = `${String(resource['resourceType'])}/${String(resource['id'])}`
      const isThere = (byName.get(name) ?? []).some((kept) => isDeepStrictEqual(kept, resource))
      return !isThere || (text !== '' && !texts.has(text))
    })
    expect(
      lost.map(({ resource }) => `${String(resource['resourceType'])}/${String(resource['id'])}`),
    ).toEqual([])
    // The log of the export is no FHIR.
    expect(refused).toEqual(folder === 'bulk-ndjson' ? ['log.ndjson: 4'] : [])
    expect(await audit(deployment)).toEqual([])
    const [again] = readdirSync(new URL(folder, SAMPLES)).filter((name) => /^(Allergy|Matt|goal)/.test(name))
    const format = folder === 'bulk-ndjson' ? 'fhir+ndjson' : 'fhir+json'
    const repeated = await world.bridge.import(readFileSync(new URL(`${folder}/${again}`, SAMPLES)), format)
    expect(new Set(repeated.filed.map(({ outcome }) => outcome))).toEqual(new Set(['unchanged']))
  }, 120_000)
})

describe('what came without a patient', () => {
  it('is read by its id from the record of the institution itself', async () => {
    const world = testBridge(await testDeployment(['hospital-a']), 'hospital-a')
    const organization = { resourceType: 'Organization', id: 'org-1', name: 'Ward 7' }
    expect((await send(world, 'PUT', '/fhir/Organization/org-1', JSON.stringify(organization))).status).toBe(
      201,
    )
    expect(await (await send(world, 'GET', '/fhir/Organization/org-1')).json()).toMatchObject(organization)
    expect((await world.bridge.record(DIRECTORY)).projection.resources.size).toBe(1)
    expect(
      (
        await send(
          world,
          'POST',
          '/fhir/Bundle',
          JSON.stringify({ resourceType: 'Bundle', type: 'collection' }),
        )
      ).status,
    ).toBe(501)
  })
})
