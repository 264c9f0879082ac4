// SPDX-License-Identifier: Apache-2.0
import { expect } from '@jest/globals'
import { failAt, withFaults, type Fault } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import type { Connection } from '#core/client/connect.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { ORIGIN, START_MS, testDeployment, type TestDeployment } from '#tests/deployment.ts'

/** How a call fails: it was not done, or it was and nobody learnt of it. */
export const FAULTS = ['not-applied', 'applied-unknown'] as const
const ALL = process.env['SLOW'] === '1'
export const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
export const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A deployment whose every table, store and key can fail. */
export interface Faulty {
  readonly world: TestDeployment
  readonly faults: ReturnType<typeof withFaults>
}

/** Opens a platform with nothing in it that goes by this clock; whoever opened it closes it. */
export type OpenBase = (clock: { now: number }) => Promise<Platform>

export async function faultyDeployment(openBase?: OpenBase): Promise<Faulty> {
  const wrapped: { faults?: ReturnType<typeof withFaults> } = {}
  const clock = { now: START_MS }
  const world = await testDeployment(['hospital-a', 'hospital-b'], {
    clock,
    ...(openBase ? { base: await openBase(clock) } : {}),
    platform: (base) => {
      wrapped.faults = withFaults(base)
      return wrapped.faults.platform
    },
  })
  if (!wrapped.faults) throw new Error('the platform was not wrapped')
  return { world, faults: wrapped.faults }
}

/** Something that a user does, from where it begins to what must be true when it is done. */
export interface Act<T> {
  /** Makes what one run needs, without faults. */
  readonly prepare: (faulty: Faulty) => Promise<T>
  /** What fails somewhere; its user repeats it. */
  readonly run: (prepared: T) => Promise<unknown>
  /** Looks, without faults, whether it is there exactly once, and gives what differs from that. */
  readonly check: (prepared: T) => Promise<unknown>
  /** What `check` gives when all is well. */
  readonly expected: unknown
}

/**
 * Runs an act once for each call that it makes, with that call failing, then repeats it as its user would.
 * All runs share one deployment, each with a record of its own; at the end everything in it is verified. It is in memory
 * unless `openBase` opens another one.
 * @returns how many calls were made to fail
 */
export async function failEachCall<T>(act: Act<T>, fault: Fault, openBase?: OpenBase): Promise<number> {
  const faulty = await faultyDeployment(openBase)
  const { faults, world } = faulty
  const clean = await act.prepare(faulty)
  faults.plan(() => null)
  await act.run(clean)
  const calls = [...faults.calls()]
  expect(await act.check(clean)).toEqual(act.expected)
  const failing = chosen(calls, fault)
  for (const k of failing) {
    const prepared = await act.prepare(faulty)
    faults.plan(failAt(k, fault))
    const outcome = await act.run(prepared).then(
      () => 'done',
      () => 'failed',
    )
    faults.plan(() => null)
    if (outcome === 'failed') await act.run(prepared)
    expect({ k, call: calls[k], found: await act.check(prepared) }).toEqual({
      k,
      call: calls[k],
      found: act.expected,
    })
  }
  expect(await findings(world)).toEqual([])
  return failing.length
}

/** Everything that an audit of the whole home says against it. */
export async function findings(world: TestDeployment) {
  const ports = await select(world.platform, AUDITOR_NEEDS)
  return (await auditChains(ports, world.home, listChains(ports))).findings
}

/** Of so many readings one verifies an export as well; the audit at the end verifies every record. SLOW=1 leaves none out. */
const EXPORT_EVERY = ALL ? 1 : 8
let readings = 0

/** Texts of a record as a newcomer opens them, some of them after an export was verified too. */
export async function readWhole(newcomer: Connection, world: TestDeployment, record: ChainId) {
  const view = await newcomer.read(record)
  if (readings++ % EXPORT_EVERY === 0) {
    const { problems, blocks } = await verifyExport(await exportRecord(newcomer, record), {
      registry: world.registryId,
    })
    expect({ problems, blocks }).toEqual({ problems: [], blocks: view.height + 1 })
  }
  return {
    texts: view.opened.map(({ content }) => new TextDecoder().decode(content)),
    closed: view.closed.map(({ status }) => status),
  }
}

/**
 * The calls that are worth failing. A read, or a signature, that fails is the same whether it was carried out or not,
 * and leaves nothing behind: the first of each name stands for the others. Of one write repeated in a row the first and
 * the last do. SLOW=1 leaves none out.
 */
function chosen(calls: readonly string[], fault: Fault): readonly number[] {
  const leavesNothing = (k: number) => /\.(get|range|fetch|sign)$/.test(calls[k] ?? '')
  const isInner = (isLike: (k: number) => boolean, k: number) =>
    k > 0 && k < calls.length - 1 && isLike(k - 1) && isLike(k + 1)
  return [...calls.keys()].filter((k) => {
    if (ALL) return true
    if (!leavesNothing(k)) return !isInner((other) => calls[other] === calls[k], k)
    return fault === 'not-applied' && calls.indexOf(calls[k] ?? '') === k
  })
}
