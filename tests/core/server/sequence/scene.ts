// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { auditLog } from '#core/server/audit/log/audit-log.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer, type Sequencer } from '#core/server/sequence/sequencer.ts'
import { ORIGIN, seededRandom, START_MS, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { resettable, type EmptyStores, type Saved } from '../resettable.ts'
import { expectedOf, wholeLog, type WholeLog } from './whole-log.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }

/** Content for an append, without any meaning. */
export function entry(text: string) {
  return { header: utf8('{}'), content: utf8(text), compartment: 'general' }
}

/** States of a home, each with all that is in those before it; a case begins with one and adds another. */
export type Stage = 'records' | 'logged' | 'news' | 'more'

/** A home with two records that can be put back: making one takes a hundred times as long as logging it. */
export interface Scene {
  readonly world: TestDeployment
  /** Puts the home back. Whoever was warm before must not be used again, as versions begin anew. */
  readonly begin: (stage: 'records' | 'logged') => Promise<void>
  /** Adds the blocks of a stage, as their writers left them. */
  readonly add: (stage: 'news' | 'more') => Promise<void>
  readonly sequencer: (platform?: Platform) => Promise<Sequencer>
  /** The whole log, checked. Throws for what is wrong. */
  readonly log: () => Promise<WholeLog>
  /** How many blocks there are, those of the registry included, and how many of them the checked log has. */
  readonly census: () => Promise<{ readonly blocks: number; readonly logged: number }>
}

/** Makes a scene: one record and its access chain, logged; then a block on it and another record; then a block on each. */
export async function makeScene(empty?: EmptyStores): Promise<Scene> {
  const clock = { now: START_MS }
  const store = resettable(
    withKeptKeys(openMemory({ now: () => clock.now, random: seededRandom(5) }), 'scene'),
    empty,
  )
  const world = await testDeployment(['hospital-a'], { base: store.platform, clock })
  const connection = world.connect('hospital-a')
  const sequencer = async (platform: Platform = world.platform) =>
    createSequencer(await select(platform, SEQUENCER_NEEDS), world.home)
  const saved = new Map<Stage, Saved>()
  const keep = async (stage: Stage) => void saved.set(stage, await store.save())
  const first = await createRecord(connection, HOME, ['general'])
  await keep('records')
  await (await sequencer()).run()
  await keep('logged')
  await connection.append(first.record, [entry('one')])
  const second = await createRecord(connection, HOME, ['general'])
  await keep('news')
  for (const { record } of [first, second]) await connection.append(record, [entry('two')])
  await keep('more')
  const chains = [first, second].flatMap(({ record, access }) => [record, access])
  const expected = async () =>
    expectedOf(world.platform, world.registryId, await chainsThere(world.platform, chains))
  const log = async () => wholeLog(world.platform, await expected())
  return {
    world,
    begin: async (stage) => store.load(stateOf(saved, stage)),
    add: async (stage) => addAll(world.platform, stateOf(saved, stage)),
    sequencer,
    log,
    census: async () => {
      const blocks = (await expected()).reduce((sum, { compacts }) => sum + compacts.length, 0)
      return { blocks, logged: Object.values((await log()).heights).flat().length }
    },
  }
}

function stateOf(saved: ReadonlyMap<Stage, Saved>, stage: Stage): Saved {
  const state = saved.get(stage)
  if (!state) throw new RangeError(`no state ${stage}`)
  return state
}

async function chainsThere(platform: Platform, chains: readonly ChainId[]): Promise<ChainId[]> {
  const heads = await Promise.all(chains.map((chain) => platform.table('blocks').range(chain, { limit: 1 })))
  return chains.filter((_, i) => (heads[i]?.length ?? 0) > 0)
}

async function addAll(platform: Platform, { rows, objects }: Saved): Promise<void> {
  for (const { table, partition, key, value } of rows)
    await platform.table(table).insert(partition, key, value)
  for (const { name, bytes } of objects) await platform.objects('entries').store(name, bytes)
}

/** What the home's own audit of the log finds, an hour later, when every promise is due. */
export async function auditFindings({ platform, home, logTrust, clock }: TestDeployment) {
  const later = { ...(await select(platform, AUDITOR_NEEDS)), now: () => clock.now + 3_600_000 }
  return (await auditLog(later, home, logTrust)).report.findings
}
