// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { select } from '#core/ports/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { growUnsigned } from '#tests/bench/worlds/unsigned-blocks.ts'
import { ORIGIN, type TestDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })
/** Chains with a new block each, in the larger of two runs. */
const CHAINS = 10
/** Blocks between the first append that is counted and the last. */
const BETWEEN = 12
/** Longer than marks live: then none is looked at again. */
const LATER_MS = 3_600_000

/** Calls of one act: of tables one row, a range and a write, of objects, and of keys that a service holds. */
export type CallKind = 'row' | 'range' | 'write' | 'store' | 'fetch' | 'remove' | 'key'
export type Calls = Readonly<Partial<Record<CallKind, number>>>

/** What the adapter asked its cloud, operation by operation, since it was last asked for. */
export type TakeCalls = () => readonly string[]

/** Which operation of either cloud is which call, by the end of its name. */
const KINDS: readonly (readonly [RegExp, CallKind])[] = [
  [/GetItem$|items\/read$/, 'row'],
  [/Query$/, 'range'],
  [/PutItem$|items\/(?:create|replace|upsert)$/, 'write'],
  [/PutObject$|blobs\/write$/, 'store'],
  [/GetObject$|blobs\/read$/, 'fetch'],
  [/DeleteObject$|blobs\/delete$/, 'remove'],
  [/^kms:|keys\//, 'key'],
]

/** The table of docs/COST.md, on either cloud: tests hold the adapters to it. */
export const CALLS_OF_ACTS: Readonly<Record<string, Calls>> = {
  append: { row: 1, range: 2, write: 3, store: 1 },
  'append, after more blocks': { row: 1, range: 2, write: 3, store: 1 },
  // One row more for the state, and without entries no keys and no object.
  'append that changes the control state': { row: 1, range: 2, write: 3 },
  'read the head': { row: 1, range: 2 },
  'read a page of blocks': { row: 1, range: 3 },
  // Its block and, once for each, the control state that says in the log of which home it is.
  receipt: { row: 5, range: 4, fetch: 2 },
  'run with nothing to log': { row: 1, range: 65 },
  'run of one block': { row: 2, range: 66, write: 3, store: 3, remove: 1 },
  'run of 10 blocks of 10 records': { row: 2, range: 75, write: 12, store: 3, remove: 1 },
}

/**
 * What each act of a home asks of its cloud, counted where the adapter asks: acts as requests of an institution, and runs of a
 * sequencer that is warm. All roles are in one process, so that what each process asks for its own is not counted: the row that
 * says how the home stands, at most once a second, and keys when it begins.
 */
export async function callsOfActs(
  world: TestDeployment,
  take: TakeCalls,
): Promise<Readonly<Record<string, Calls>>> {
  const { connection, during } = countingConnection(world, take)
  const { record } = await createRecord(connection, HOME, ['general'])
  // The first block of a day leases a part of the grant's limits, which the next ones use up.
  await connection.append(record, [entry('first')])
  const append = await during('POST', () => connection.append(record, [entry('early')]))
  for (let i = 0; i < BETWEEN; i++) await connection.append(record, [entry(`between ${i}`)])
  const later = await during('POST', () => connection.append(record, [entry('late')]))
  const change = await during('POST', () => changeChain(connection, record, { hold: true }))
  const { api } = connection
  const { head, notes } = await connection.replica(record)
  const runs = await runsOf(world, take)
  const newest = notes.at(-1)
  if (!newest) throw new Error('the record is empty')
  const acts = {
    append,
    'append, after more blocks': later,
    'append that changes the control state': change,
    'read the head': await during('GET', () => api.head(record)),
    'read a page of blocks': await during('GET', () => api.blocks(record, 0)),
    receipt: await during('GET', () => api.receipt(record, newest.id, head.height)),
    ...runs,
  }
  return Object.fromEntries(Object.entries(acts).map(([act, names]) => [act, countOf(names)]))
}

/** A connection of which the calls of the last request with a method can be had. */
function countingConnection(world: TestDeployment, take: TakeCalls) {
  const last: { method: string; names: readonly string[] }[] = []
  const connection: Connection = world.connect('hospital-a', {
    fetch: async (request) => {
      take()
      const answer = await world.fetch(request)
      last.push({ method: request.method, names: take() })
      return answer
    },
  })
  const during = async (method: string, act: () => Promise<unknown>): Promise<readonly string[]> => {
    last.length = 0
    await act()
    const found = last.filter((one) => one.method === method)
    const [only] = found
    if (!only || found.length !== 1) throw new Error(`${found.length} requests with ${method}`)
    return only.names
  }
  return { connection, during }
}

async function runsOf(
  world: TestDeployment,
  take: TakeCalls,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const chains: Replica[] = []
  const connection = world.connect('hospital-a')
  for (let i = 0; i < CHAINS; i++) {
    const { record } = await createRecord(connection, HOME, ['general'])
    chains.push(await connection.replica(record))
  }
  await world.tendLog()
  world.clock.now += LATER_MS
  const sequencer = createSequencer(await select(world.platform, SEQUENCER_NEEDS), world.home)
  await sequencer.run()
  const run = async (some: readonly number[]) => {
    for (const at of some) {
      const chain = chains[at]
      if (chain) chains[at] = await growUnsigned(world, chain, 1)
    }
    take()
    const { added } = await sequencer.run()
    if (added !== some.length) throw new Error(`${added} of ${some.length} blocks were logged`)
    return take()
  }
  // What a process reads of a chain and of the log once is not of every run.
  await run([...chains.keys()])
  return {
    'run with nothing to log': await run([]),
    'run of one block': await run([0]),
    [`run of ${CHAINS} blocks of ${CHAINS} records`]: await run([...chains.keys()]),
  }
}

function countOf(operations: readonly string[]): Calls {
  const counts: Partial<Record<CallKind, number>> = {}
  for (const operation of operations) {
    const [, kind] = KINDS.find(([name]) => name.test(operation)) ?? []
    if (kind === undefined) throw new Error(`an operation that is not known: ${operation}`)
    counts[kind] = (counts[kind] ?? 0) + 1
  }
  return counts
}
