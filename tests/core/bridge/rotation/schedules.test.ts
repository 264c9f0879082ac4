// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { killAfter, withFaults } from '#adapters/around/faults.ts'
import { openMemory } from '#adapters/memory/open.ts'
import type { EpochPackage } from '#core/api/append.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { shareRecord, unshareRecord } from '#core/client/acts/share-record.ts'
import { openBlockEntries } from '#core/client/read/open-entries.ts'
import { openKeyring, type Keyring } from '#core/client/read/reader-keys.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { objectName, rowKey } from '#core/server/store/rows.ts'
import { seededRandom, START_MS, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'
import { entry, hospital, removeInstitution, revokeInstance, type Hospital } from './hospital.ts'

const RUNS = process.env['SLOW'] === '1' ? 25 : 3
const OTHERS = ['hospital-b', 'hospital-c'] as const
const RECORDS = ['p1', 'p2'] as const
const STEPS = [
  'grant',
  'grant',
  'append',
  'append',
  'revoke',
  'revoke key',
  'remove',
  'rotate',
  'crash',
] as const
const turn = fc.record({
  step: fc.constantFrom(...STEPS),
  who: fc.constantFrom(...OTHERS),
  record: fc.constantFrom(...RECORDS),
  pick: fc.nat({ max: 60 }),
})

/** What a stolen app instance took along: the keys of a record as they were when it was revoked. */
interface Stolen {
  readonly chain: ChainId
  readonly keyring: Keyring
}

interface Story {
  readonly at: Hospital
  readonly world: TestDeployment
  readonly faults: ReturnType<typeof withFaults>
  readonly chains: Readonly<Record<string, ChainId>>
  readonly granted: Map<string, Set<ChainId>>
  readonly removed: Set<string>
  readonly revokedKeys: Set<string>
  readonly stolen: Stolen[]
  texts: number
}

async function begin(seed: number): Promise<Story> {
  const clock = { now: START_MS }
  const random = seededRandom(seed)
  const base = withKeptKeys(openMemory({ now: () => clock.now, random }), seed)
  const faults = withFaults(base)
  const names = ['hospital-a', ...OTHERS]
  const world = await testDeployment(names, { clock, seed, platform: () => faults.platform })
  const at = await hospital(world, faults.platform.table('bridge'))
  const chains: Record<string, ChainId> = {}
  for (const name of RECORDS) chains[name] = await at.record(name)
  const granted = new Map(OTHERS.map((name) => [name as string, new Set<ChainId>()]))
  return {
    at,
    world,
    faults,
    chains,
    granted,
    removed: new Set(),
    revokedKeys: new Set(),
    stolen: [],
    texts: 0,
  }
}

type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never

async function take(story: Story, { step, who, record, pick }: Turn): Promise<void> {
  const { at, world, granted, removed } = story
  const chain = story.chains[record]
  if (!chain) throw new Error('no such record')
  const { connection, run } = at.open()
  const { id } = world.institution(who)
  switch (step) {
    case 'grant':
      if (removed.has(who)) return
      await shareRecord(connection, chain, { institution: id, rights: ['append', 'read'] })
      granted.get(who)?.add(chain)
      return
    case 'revoke':
      if (granted.get(who)?.delete(chain) !== true) return
      // The registry may have had it dropped already.
      await unshareRecord(connection, chain, id).catch(() => null)
      return
    case 'append':
      await connection.append(chain, [entry(`entry ${story.texts++}`)])
      return
    case 'revoke key':
      if (removed.has(who) || story.revokedKeys.has(who)) return
      for (const each of granted.get(who) ?? []) {
        const keyring = await keyringOf(story, await connection.replica(each), who)
        story.stolen.push({ chain: each, keyring })
      }
      story.revokedKeys.add(who)
      await revokeInstance(world, who)
      return
    case 'remove':
      if (removed.size > 0) return
      await removeInstitution(world, who)
      removed.add(who)
      return
    case 'rotate':
      await run()
      world.clock.now += 300_000
      return
    case 'crash':
      story.faults.plan(killAfter(pick))
      await run().catch(() => 'killed')
      story.faults.plan(() => null)
      world.clock.now += 300_000
  }
}

/** Until nothing is due any more. */
async function runToEnd({ at, world }: Story): Promise<void> {
  for (let process = 0; process < 10; process++) {
    const { rotation, run } = at.open()
    await run()
    if ((await rotation.estimate()).due.length === 0) return
    world.clock.now += 300_000
  }
  throw new Error('the rotation does not come to an end')
}

/** Every package of the home in the hands of one reader. */
async function keyringOf({ world }: Story, replica: Replica, reader: string): Promise<Keyring> {
  const rows = await world.platform.table('packages').range(replica.chain)
  const packages = rows.map(({ value }) => JSON.parse(fromUtf8(value)) as EpochPackage)
  const { instance, sealingSeed } = world.institution(reader)
  const identity = { reader, institution: null, signer: instance, sealingSeed: async () => sealingSeed }
  return openKeyring(replica, packages, identity)
}

async function openedWith({ world }: Story, replica: Replica, keyring: Keyring): Promise<readonly string[]> {
  const texts: string[] = []
  for (const note of replica.notes) {
    if (!note.entries) continue
    const row = await world.platform.table('wraps').get(replica.chain, rowKey(note.entries))
    const object = await world.platform.objects('entries').fetch(objectName(replica.chain, note.entries.root))
    const parts = { row: row?.value ?? null, object }
    const { opened } = await openBlockEntries(replica, note, parts, keyring)
    texts.push(...opened.map(({ content }) => fromUtf8(content)))
  }
  return texts
}

async function expectOpened(story: Story): Promise<void> {
  const { at, granted, removed, stolen } = story
  const { connection } = at.open()
  for (const chain of Object.values(story.chains)) {
    const before = await textsOf(story, chain)
    const last = `after ${chain}`
    await connection.append(chain, [entry(last)])
    const replica = await connection.replica(chain)
    const all = [...before, last]
    for (const who of OTHERS) {
      const isReader = granted.get(who)?.has(chain) === true && !removed.has(who)
      const opened = await openedWith(story, replica, await keyringOf(story, replica, who))
      if (isReader) expect({ who, opened }).toEqual({ who, opened: all })
      else expect(opened).not.toContain(last)
    }
    for (const theft of stolen.filter((item) => item.chain === chain))
      expect(await openedWith(story, replica, theft.keyring)).not.toContain(last)
  }
}

async function textsOf({ world }: Story, chain: ChainId): Promise<readonly string[]> {
  const { opened } = await world.connect('hospital-a').read(chain)
  return opened.map(({ content }) => fromUtf8(content))
}

it('leaves each reader all that it was granted, and whoever was removed or had a key revoked nothing that is sealed once it is done', async () => {
  const schedules = fc.array(turn, { minLength: 8, maxLength: 14, size: 'max' })
  const property = fc.asyncProperty(schedules, fc.nat(), async (schedule, seed) => {
    const story = await begin(seed)
    for (const each of schedule) await take(story, each)
    await runToEnd(story)
    const { rotation } = story.at.open()
    expect((await rotation.estimate()).open).toEqual([])
    await expectOpened(story)
  })
  await fc.assert(property, { numRuns: RUNS })
}, 600_000)
