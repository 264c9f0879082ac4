// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { select } from '#core/ports/needs.ts'
import { buildChange } from '#core/registry/build.ts'
import type { RegistryChange } from '#core/registry/block.ts'
import type { Signer } from '#core/ports/keys.ts'
import { recordOf } from '#core/registry/snapshot.ts'
import { listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { loadHead } from '#core/server/store/rows.ts'
import { testBridge, type BridgeWorld } from '#tests/bridge-world.ts'
import { instanceRecords, makeSigner, type TestDeployment } from '#tests/deployment.ts'
import { entry, failEachCall, FAULTS, HOME, readWhole, type Act } from './each-call.ts'

interface Creating {
  readonly world: TestDeployment
  readonly a: Connection
  made: { record: ChainId; access: ChainId } | null
}

/** A record with its access chain. What a failed attempt leaves behind is empty and named by nobody. */
const CREATE: Act<Creating> = {
  prepare: async ({ world }) => ({ world, a: world.connect('hospital-a'), made: null }),
  run: async (creating) => {
    creating.made = await createRecord(creating.a, HOME, ['general'])
  },
  check: async ({ world, made }) => {
    if (!made) return 'nothing was made'
    const newcomer = world.connect('hospital-a')
    await newcomer.append(made.record, [entry('one')])
    await newcomer.append(made.access, [{ ...entry('reading'), compartment: 'access' }])
    const [record, access] = [await newcomer.replica(made.record), await newcomer.replica(made.access)]
    return {
      record: await readWhole(newcomer, world, made.record),
      access: await readWhole(newcomer, world, made.access),
      named: [record.link.state.access === made.access, access.link.state.of === made.record],
      heights: [record.head.height, access.head.height],
    }
  },
  expected: {
    record: { texts: ['one'], closed: [] },
    access: { texts: ['reading'], closed: [] },
    named: [true, true],
    heights: [2, 2],
  },
}

interface Importing {
  readonly world: TestDeployment
  readonly bridge: BridgeWorld
  readonly patient: string
  /** Chains that were there before. */
  readonly before: ReadonlySet<ChainId>
}

/** A message about one patient: one weight under two ids, which is found, and who measured it. */
function message(patient: string): Uint8Array {
  const weight = (id: string) => ({
    resourceType: 'Observation',
    id: `${patient}-${id}`,
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }], text: 'Body Weight' },
    subject: { reference: `Patient/${patient}` },
    performer: [{ reference: `Practitioner/${patient}-doctor` }],
    effectiveDateTime: '2020-05-01T10:00:00Z',
    valueQuantity: { value: 70, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
  })
  const resources = [
    {
      resourceType: 'Patient',
      id: patient,
      name: [{ family: 'Test' }],
      gender: 'female',
      birthDate: '1980-01-01',
    },
    { resourceType: 'Practitioner', id: `${patient}-doctor`, name: [{ family: 'Measure' }] },
    weight('w1'),
    weight('w2'),
  ]
  const item = (resource: (typeof resources)[number]) => ({
    resource,
    request: { method: 'POST', url: resource.resourceType },
  })
  return utf8(JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: resources.map(item) }))
}

const bridges = new WeakMap<TestDeployment, BridgeWorld>()
let patients = 0

/** An import, through the tables of home and bridge alike, and the checker's round after it. */
const IMPORT: Act<Importing> = {
  prepare: async ({ world }) => {
    const bridge =
      bridges.get(world) ?? testBridge(world, 'hospital-a', { table: world.platform.table('bridge') })
    bridges.set(world, bridge)
    patients++
    return { world, bridge, patient: `p${patients}`, before: new Set(await chainsOf(world)) }
  },
  run: async ({ bridge, patient }) => bridge.bridge.import(message(patient), 'fhir+json'),
  check: async ({ world, bridge, patient, before }) => {
    // The checker's round: an import that failed after filing leaves its findings to it.
    await bridge.bridge.recheck(patient)
    const { chain, projection } = await bridge.bridge.record(patient)
    const versions = [...projection.resources.values()].map((resource) => resource.versions.length)
    const { texts, closed } = await readWhole(world.connect('hospital-a'), world, chain)
    const filed = texts.map((text) => JSON.parse(text) as { resourceType: string })
    return {
      versions,
      closed,
      types: filed.map(({ resourceType }) => resourceType).toSorted((a, b) => (a < b ? -1 : 1)),
      elsewhere: await entriesBeside(world, chain, before),
    }
  },
  expected: {
    versions: [1, 1, 1, 1],
    closed: [],
    types: ['Finding', 'Observation', 'Observation', 'Patient', 'Practitioner'],
    elsewhere: 0,
  },
}

async function chainsOf(world: TestDeployment): Promise<ChainId[]> {
  const chains: ChainId[] = []
  for await (const chain of listChains(await select(world.platform, AUDITOR_NEEDS))) chains.push(chain)
  return chains
}

/** Entries in chains that are new and not the patient's: a failed attempt may leave chains behind, but nothing in them. */
async function entriesBeside(
  world: TestDeployment,
  own: ChainId,
  before: ReadonlySet<ChainId>,
): Promise<number> {
  let entries = 0
  for (const chain of await chainsOf(world)) {
    if (chain === own || before.has(chain)) continue
    // A chain is listed before its genesis is committed.
    if (!(await loadHead(world.platform.table('blocks'), chain))) continue
    const view = await world.connect('hospital-a').read(chain)
    entries += view.opened.length + view.closed.length
  }
  return entries
}

interface Registering {
  readonly world: TestDeployment
  readonly a: Connection
  readonly record: ChainId
  readonly signer: Signer
  readonly id: string
  readonly compact: string
  readonly height: number
}

let instances = 0

/** A signed registry block, made once and sent until it is answered: the same block is the same change. */
async function registering(
  world: TestDeployment,
  signer: Signer,
  change: (id: string) => RegistryChange,
  id: string,
) {
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const history = await world.home.registry.refresh()
  const link = history.link()
  if (!link) throw new Error('the registry is empty')
  const ports = { now: () => world.clock.now, random: world.random }
  const compact = await buildChange(ports, link, [change(id)], world.institution('hospital-a').root)
  return { world, a, record, signer, id, compact, height: history.height() }
}

const enrolment = (world: TestDeployment, id: string, signer: Signer): RegistryChange => ({
  act: 'enrol',
  ...instanceRecords(id, world.institution('hospital-a').id, signer, ['control', 'create']),
})

/** How far the registry grew, what it says of the instance, and whether the instance may write. */
async function registered({ world, record, signer, id, height }: Registering) {
  const history = await world.home.registry.refresh()
  const writes = await world
    .connect('hospital-a', { signer })
    .append(record, [entry('by the instance')])
    .then(
      () => true,
      () => false,
    )
  const newcomer = world.connect('hospital-a')
  return {
    grown: history.height() - height,
    status: recordOf(history.newest(), 'instance', id)?.status,
    writes,
    ...(await readWhole(newcomer, world, record)),
  }
}

const ENROL: Act<Registering> = {
  prepare: async ({ world }) => {
    const signer = await makeSigner(world.random)
    return registering(world, signer, (id) => enrolment(world, id, signer), `extra-${++instances}`)
  },
  run: ({ a, compact }) => a.api.addRegistryBlock(compact),
  check: registered,
  expected: { grown: 1, status: 'active', writes: true, texts: ['by the instance'], closed: [] },
}

const REVOKE: Act<Registering> = {
  prepare: async ({ world }) => {
    const signer = await makeSigner(world.random)
    const id = `extra-${++instances}`
    await world.change('hospital-a', [enrolment(world, id, signer)])
    const revocation = { act: 'revoke', kid: signer.kid, reason: 'retired', suspectFrom: null } as const
    return registering(world, signer, () => revocation, id)
  },
  run: ({ a, compact }) => a.api.addRegistryBlock(compact),
  check: registered,
  expected: { grown: 1, status: 'revoked', writes: false, texts: [], closed: [] },
}

async function survives<T>(act: Act<T>, fault: (typeof FAULTS)[number], calls: number): Promise<void> {
  expect(await failEachCall(act, fault)).toBeGreaterThanOrEqual(calls)
}

describe.each(FAULTS)('with any single call that fails %s', (fault) => {
  it('creating a record is done in the end, and what is left behind is empty', async () => {
    await survives(CREATE, fault, 15)
  }, 240_000)

  it('an import files each resource and each finding once', async () => {
    await survives(IMPORT, fault, 15)
  }, 600_000)

  it('an enrolment is in the registry once, and the instance writes', async () => {
    await survives(ENROL, fault, 1)
  }, 240_000)

  it('the revocation of an instance is in the registry once, and it writes no more', async () => {
    await survives(REVOKE, fault, 1)
  }, 240_000)
})
