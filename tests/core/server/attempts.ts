// SPDX-License-Identifier: Apache-2.0
import { withFaults } from '#adapters/around/faults.ts'
import { wrapPlatform, type Around } from '#adapters/around/calls.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId, type OpId } from '#core/bytes/ids.ts'
import { decodeAppend, type Append } from '#core/api/append.ts'
import { parseBlock, signBlock } from '#core/block/open-block.ts'
import type { Block } from '#core/block/block.ts'
import { parseKeyRow } from '#core/block/key-row.ts'
import { rowRoot } from '#core/server/append/parts.ts'
import { following } from '#core/client/append-entries.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { toBase64url } from '#core/bytes/encoding.ts'
import { AmpereError } from '#core/errors.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { sweep, type SweepReport } from '#core/server/sweep/sweep.ts'
import { SWEEPER_NEEDS } from '#core/server/sweep/needs.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { resettable, type Resettable } from './resettable.ts'

export const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
export const DAY_MS = 86_400_000
export const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A home whose calls can be made to fail or to wait, and whose stores can be counted. */
export interface Attempts {
  readonly world: TestDeployment
  readonly a: Connection
  readonly record: ChainId
  readonly faults: ReturnType<typeof withFaults>
  /** Set `current` to see, delay or answer every call of the home. */
  readonly around: { current: Around }
  /** Appends that were sent, newest last. */
  readonly sent: Append[]
  readonly store: Resettable
}

const pass: Around = (_, act) => act()

/** A record of hospital-a with one entry. */
export async function attempts(): Promise<Attempts> {
  const made: { faults?: ReturnType<typeof withFaults>; store?: Resettable } = {}
  const around = { current: pass }
  const world = await testDeployment(['hospital-a', 'hospital-b'], {
    platform: (base) => {
      made.store = resettable(base)
      made.faults = withFaults(made.store.platform)
      return wrapPlatform(made.faults.platform, (name, act) => around.current(name, act))
    },
  })
  const sent: Append[] = []
  const a = world.connect('hospital-a', {
    fetch: async (request) => {
      if (request.method === 'POST')
        sent.push(decodeAppend(new Uint8Array(await request.clone().arrayBuffer())))
      return world.fetch(request)
    },
  })
  const { record } = await createRecord(a, HOME, ['general'])
  await a.append(record, [entry('one')])
  const { faults, store } = made
  if (!faults || !store) throw new Error('the platform was not wrapped')
  return { world, a, record, faults, around, sent, store }
}

/** Nothing commits until `mend`; clients give up at once, since a full store does not become empty by trying again. */
export function failCommits({ around }: Attempts): void {
  around.current = async (name, act) => {
    if (name === 'table.blocks.insert') throw new AmpereError('STORE_FULL', 'the store is full')
    return act()
  }
}

export function mend({ around, faults }: Attempts): void {
  around.current = pass
  faults.plan(() => null)
}

/** The same sealed parts under a block that is signed anew on the present head, as a client long offline would. */
export async function signAgain({ world, a }: Attempts, append: Append): Promise<Append> {
  const { block, chain } = parseBlock(append.block)
  const replica = await a.replica(chain)
  const op = toBase64url(world.random(16)) as OpId
  const keys = append.row === null ? null : rowRoot(parseKeyRow(utf8(append.row)))
  const entries = block.entries && keys && { ...block.entries, keys }
  const again = { ...block, ...following(a.ports, replica, op), entries } as Block
  return { ...append, block: (await signBlock(again, a.ports.identity.signer)).compact }
}

export async function sweepNow(
  world: TestDeployment,
  wrap: (platform: Platform) => Platform = (platform) => platform,
): Promise<SweepReport> {
  return sweep(await select(wrap(world.platform), SWEEPER_NEEDS))
}

export async function auditNow(world: TestDeployment) {
  const ports = await select(world.platform, AUDITOR_NEEDS)
  return auditChains(ports, world.home, listChains(ports))
}

/** The parts that are stored, by store. */
export async function census({ store }: Attempts): Promise<Readonly<Record<string, readonly string[]>>> {
  const { rows, objects } = await store.save()
  const found: Record<string, string[]> = { objects: objects.map(({ name }) => name).toSorted() }
  for (const table of ['chains', 'wraps', 'packages', 'labels', 'states'] as const) {
    const keys = rows.filter((row) => row.table === table).map((row) => `${row.partition}/${row.key}`)
    found[table] = keys.toSorted()
  }
  return found
}

/** Runs a case on the world as it is now, and puts the world back to that afterwards. */
export async function restoring(at: Attempts, run: (fresh: Attempts) => Promise<void>): Promise<void> {
  const saved = await at.store.save()
  const { now } = at.world.clock
  // A client remembers heads, so each case has its own.
  try {
    await run({ ...at, a: at.world.connect('hospital-a') })
  } finally {
    mend(at)
    await at.store.load(saved)
    at.world.clock.now = now
  }
}

/** The calls of an act that nothing disturbs. */
export async function callsOf(
  at: Attempts,
  act: (fresh: Attempts) => Promise<unknown>,
): Promise<readonly string[]> {
  const trace: string[] = []
  await restoring(at, async (fresh) => {
    at.faults.plan(() => null)
    await act(fresh)
    trace.push(...at.faults.calls())
  })
  return trace
}

/** What the record says, after checking that nothing in it is closed. */
export async function texts(at: Attempts): Promise<string[]> {
  const view = await at.world.connect('hospital-a').read(at.record)
  if (view.closed.length > 0) throw new Error(`closed: ${view.closed.map((item) => item.status).join()}`)
  return view.opened.map((item) => new TextDecoder().decode(item.content))
}
