// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { withFaults } from '#adapters/around/faults.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Needs, Platform } from '#core/ports/needs.ts'
import { auditChains } from '#functions/auditor/operations.ts'
import { appendBlock } from '#functions/writer/operations.ts'
import { HOME_ROLES } from '#functions/roles.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { logKeysOf } from '#tests/core/server/cosign/witnessed-world.ts'
import { appendAsJob } from '#tests/core/server/job/jobs.ts'
import { appendUploaded, HOME, offered, put, unsent } from '#tests/core/server/upload/uploads.ts'
import { ORIGIN, type TestDeployment } from '#tests/deployment.ts'
import { ask } from '#tests/http/ask.ts'
import { converse } from '#tests/http/conversation.ts'
import type { Apart } from '../apart.ts'
import { homeApart } from './home-apart.ts'

const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** What only this access allows. */
const PROVES: Readonly<Record<string, readonly string[]>> = {
  read: ['get', 'range'],
  append: ['insert'],
  write: ['swap'],
  fetch: ['fetch'],
  store: ['store'],
  shred: ['shred'],
  sign: ['sign'],
  unwrap: ['unwrap'],
}

function unusedOf(needs: Needs, calls: ReadonlySet<string>): readonly string[] {
  const parts = { table: needs.tables, objects: needs.objects, key: needs.keys }
  return Object.entries(parts).flatMap(([port, part]) =>
    Object.entries(part)
      .filter(
        ([name, access]) => !(PROVES[access] ?? []).some((method) => calls.has(`${port}.${name}.${method}`)),
      )
      .map(([name, access]) => `${port} ${name} ${access}`),
  )
}

/** Everything that can be asked of a home, asked of one whose roles are apart; then what else happens in one. */
async function callsOfRoles(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const made: { scene?: Scene } = {}
  const { record, exchanges } = await converse(async (world) => {
    const logs = (await logKeysOf(world.platform)).map((key) => ({ key, url: `${ORIGIN}/log` }))
    const nobody = { witnesses: [], groups: [], quorum: null }
    const watched = [{ logs, ...nobody }]
    // Answered from; copied are others, by tests of both clouds together.
    const { key } = await signerOf('other.test/log', 'Ed25519', 1)
    const other = { origin: 'http://other.test', policy: { logs: [{ key, url: null }], ...nobody } }
    const { deployment } = world.home
    const { id: institution } = world.institution('hospital-a')
    const mirrored = [{ deployment, registry: world.registryId, institution, ...other }]
    const faults = withFaults(world.platform)
    const around = (role: string, platform: Platform) => (role === 'writer' ? faults.platform : platform)
    const { apart, counts } = await homeApart(world, { watched, mirrored }, around)
    made.scene = { world: servedApart(world, apart), apart, counts, faults }
    return made.scene.world
  })
  const { scene } = made
  if (!scene) throw new Error('the home was not opened')
  const { body } = exchanges.find(({ operation }) => operation === appendBlock)?.asking ?? {}
  await ask(scene.world, appendBlock, { query: { wait: 'logged' }, ...(body && { body }) })
  await otherwise(scene, record)
  return new Map([...scene.counts].map(([role, counted]) => [role, new Set(Object.keys(counted.counts()))]))
}

interface Scene extends Pick<Awaited<ReturnType<typeof homeApart>>, 'apart' | 'counts'> {
  readonly world: TestDeployment
  readonly faults: ReturnType<typeof withFaults>
}

function servedApart(world: TestDeployment, apart: Apart): TestDeployment {
  let lookedMs = Number.NEGATIVE_INFINITY
  const fetch: Fetch = async (request) => {
    if (world.clock.now !== lookedMs) await apart.sequence()
    lookedMs = world.clock.now
    const answer = await apart.fetch(request)
    if (request.method === 'POST') await apart.erase([])
    return answer
  }
  return {
    ...world,
    fetch,
    tendLog: async () => apart.sequence(),
    connect: (name, given = {}) => world.connect(name, { fetch, ...given }),
  }
}

/** An append that is a job, ones that fail half-way, a record that is erased, and what wakes roles. */
async function otherwise({ world, apart, faults }: Scene, record: ChainId): Promise<void> {
  const client = () => world.connect('hospital-a')
  // Nobody is at a job of the conversation any more.
  world.clock.now += 60_000
  for (const append of [appendAsJob, appendUploaded]) {
    const large = await unsent({ world, a: client(), record })
    const to = await offered(world, record, large.object)
    await put(world, to, large.object)
    await append(world, large, to.upload)
    await apart.work()
  }
  await ask(world, auditChains, { path: { chain: 'all' }, headers: { prefer: 'respond-async' } })
  await apart.work()
  faults.plan((_, call) => (call === 'table.blocks.insert' ? 'not-applied' : null))
  const failed = [
    createRecord(client(), HOME, ['general']),
    client().append(record, [entry('lost')]),
    rotateChain(client(), record),
  ]
  const outcomes = await Promise.allSettled(failed)
  expect(outcomes.map(({ status }) => status)).toEqual(failed.map(() => 'rejected'))
  faults.plan(() => null)
  const { record: whole } = await createRecord(client(), HOME, ['general'])
  await client().append(whole, [entry('gone')])
  await erase(world, client(), whole)
  for (let time = 0; time < 2; time++) {
    for (const act of [apart.monitor, apart.audit, apart.work, apart.sweep]) await act()
    world.clock.now += 8 * 86_400_000
    await apart.sequence()
  }
  await apart.erase('schedule')
}

async function erase(world: TestDeployment, by: Connection, record: ChainId): Promise<void> {
  const { instance, second } = world.institution('hospital-a')
  const what = { scope: 'record' as const, entries: [], ground: 'misfiled' as const }
  const request = await requestErasure(by, record, what, { instances: [instance, second] })
  world.clock.now += 31 * 86_400_000
  await settleErasure(by, record, request.block.height, 'complete')
}

/** What no act above comes to. */
const NOT_HERE: readonly string[] = [
  // Only where the registry is at home elsewhere: tests/core/server/follow.
  'discovery table following read',
  'follower table following write',
  'follower table registry append',
  // Only an audit that lasts for more than one slice is kept: tests/core/server/audit/log/run.
  'auditor table audits write',
  'worker table audits write',
  // What appending may do at all: control blocks are appended by requests, not by jobs.
  'worker table states append',
  'worker table packages append',
  'worker table labels append',
  'worker table chains append',
]

describe('a home whose roles are in processes of their own', () => {
  it('has no role that needs more than it uses', async () => {
    const calls = await callsOfRoles()
    const unused = HOME_ROLES.flatMap(({ name, needs }) =>
      unusedOf(needs, calls.get(name) ?? new Set()).map((each) => `${name} ${each}`),
    )
    expect(unused.toSorted()).toEqual(NOT_HERE.toSorted())
  })
})
