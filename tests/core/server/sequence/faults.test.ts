// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { failAt, withFaults, type Fault } from '#adapters/around/faults.ts'
import { wrapPlatform } from '#adapters/around/calls.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { auditLog } from '#core/server/audit/log/audit-log.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer, type Sequencer } from '#core/server/sequence/sequencer.ts'
import { ORIGIN, seededRandom, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { expectedOf, wholeLog } from './whole-log.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const FAULTS = ['not-applied', 'applied-unknown'] as const
const ALL = ['same batch', 'another batch', 'restart', 'restart with another batch'] as const
/** SLOW=1 leaves none out. */
const AFTERWARDS = process.env['SLOW'] === '1' ? ALL : ([ALL[0], ALL[3]] as const)
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A home with a record of which some is logged already and something is to be logged. */
async function halfLogged() {
  const world = await testDeployment(['hospital-a'])
  const faults = withFaults(world.platform)
  const open = async () => createSequencer(await select(faults.platform, SEQUENCER_NEEDS), world.home)
  const connection = world.connect('hospital-a')
  const own = await open()
  const { record, access } = await createRecord(connection, HOME, ['general'])
  await own.run()
  await connection.append(record, [entry('one')])
  return { world, faults, open, own, connection, record, chains: [record, access] }
}

/** What the home's own audit of the log says, an hour later. */
async function auditFindings({ platform, home, logTrust, clock }: TestDeployment) {
  const later = { ...(await select(platform, AUDITOR_NEEDS)), now: () => clock.now + 3_600_000 }
  return (await auditLog(later, home, logTrust)).report.findings
}

/** Fails call k of the second run, then goes on as told, and reads the whole log. */
async function failed(k: number, fault: Fault, then: (typeof ALL)[number]) {
  const { world, faults, open, own, connection, record, chains } = await halfLogged()
  faults.plan(failAt(k, fault))
  const outcome = await own.run().catch(() => 'failed')
  faults.plan(() => null)
  if (then.endsWith('another batch')) await connection.append(record, [entry('two')])
  const next = then.startsWith('restart') ? await open() : own
  await next.run()
  const last = await next.run()
  const { heights } = await wholeLog(
    world.platform,
    await expectedOf(world.platform, world.registryId, chains),
  )
  if (then !== ALL[0]) expect(await auditFindings(world)).toEqual([])
  const wanted = then.endsWith('another batch') ? [0, 1, 2, 3] : [0, 1, 2]
  return { outcome, last: last.outcome, heights: heights[record], wanted }
}

describe('a sequencer whose stores and keys fail', () => {
  for (const fault of FAULTS)
    for (const then of AFTERWARDS)
      it(`logs every block once, whichever call was ${fault}, then ${then}`, async () => {
        const { faults, own } = await halfLogged()
        faults.plan(() => null)
        await own.run()
        const calls = [...faults.calls()]
        // A read leaves nothing behind: the first of each name stands for the others.
        const isRead = (call: string) => /\.(get|range|fetch)$/.test(call)
        const isTelling = (call: string, k: number) => !isRead(call) || calls.indexOf(call) === k
        const telling = calls.flatMap((call, k) => (isTelling(call, k) ? [k] : []))
        expect(telling.length).toBeGreaterThan(12)
        for (const k of telling) {
          const { outcome, last, heights, wanted } = await failed(k, fault, then)
          expect({ call: calls[k], outcome }).toEqual({ call: calls[k], outcome: 'failed' })
          expect({ call: calls[k], last, heights }).toEqual({ call: calls[k], last: 'idle', heights: wanted })
        }
      })
})

/** Runs calls one at a time, in an order that a seed decides: every schedule of a seed is the same. */
function scheduler(seed: number) {
  const random = seededRandom(seed)
  const waiting: (() => Promise<void>)[] = []
  const around = <T>(_: string, act: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.push(() => act().then(resolve, reject))
    })
  const run = async (actors: readonly Promise<unknown>[]) => {
    const ended = { all: false }
    const all = Promise.allSettled(actors).then((results) => {
      ended.all = true
      return results
    })
    while (!ended.all) {
      // Lets every actor come to its next call.
      await new Promise((resolve) => setImmediate(resolve))
      const [at = 0] = random(1)
      const [next] = waiting.splice(at % Math.max(1, waiting.length), 1)
      await next?.()
    }
    return all
  }
  return { wrap: (platform: Platform) => wrapPlatform(platform, around), run }
}

describe('several sequencers and appenders at once', () => {
  for (const seed of Array.from({ length: process.env['SLOW'] === '1' ? 200 : 8 }, (_, i) => i + 1))
    it(`never fork, lose or double a block (schedule ${seed})`, async () => {
      const world = await testDeployment(['hospital-a'])
      const connection = world.connect('hospital-a')
      const records = [
        await createRecord(connection, HOME, ['general']),
        await createRecord(connection, HOME, ['general']),
      ]
      const { wrap, run } = scheduler(seed)
      const scheduled = wrap(world.platform)
      const ports = await select(scheduled, SEQUENCER_NEEDS)
      const sequencers = Array.from({ length: 2 + (seed % 3) }, () => createSequencer(ports, world.home, 3))
      const sequence = async (sequencer: Sequencer) => {
        for (let i = 0; i < 4; i++) await sequencer.run()
      }
      const append = async (chain: ChainId) => {
        for (let i = 0; i < 4; i++) {
          await connection.append(chain, [entry(String(i))])
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const results = await run([...sequencers.map(sequence), ...records.map(({ record }) => append(record))])
      expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
      const last = createSequencer(await select(world.platform, SEQUENCER_NEEDS), world.home)
      while ((await last.run()).outcome !== 'idle');
      const chains = records.flatMap(({ record, access }) => [record, access])
      const { heights } = await wholeLog(
        world.platform,
        await expectedOf(world.platform, world.registryId, chains),
      )
      expect(await auditFindings(world)).toEqual([])
      for (const { record } of records) expect(heights[record]).toEqual([0, 1, 2, 3, 4, 5])
    })
})
