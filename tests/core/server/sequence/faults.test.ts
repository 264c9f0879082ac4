// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { failAt, killAfter, withFaults, type Fault, type FaultPlan } from '#adapters/around/faults.ts'
import { auditFindings, makeScene, type Scene } from './scene.ts'

const FAULTS = ['not-applied', 'applied-unknown', 'delayed'] as const satisfies readonly Fault[]
/** Which run is disturbed: the first of a log, the first of a process, one of a process that ran before. */
const RUNS = ['first', 'cold', 'warm'] as const
/** What comes after it. */
const AFTERWARDS = ['same batch', 'another batch', 'restart', 'restart with another batch'] as const
/** A sequencer that was killed does not go on itself; one that ran beside it all along may. */
const AFTER_KILL = [
  'one beside it',
  'one beside it with another batch',
  AFTERWARDS[2],
  AFTERWARDS[3],
] as const
type Then = (typeof AFTERWARDS)[number] | (typeof AFTER_KILL)[number]

const held: { scene?: Scene } = {}
beforeAll(async () => {
  held.scene = await makeScene()
})
function theScene(): Scene {
  if (!held.scene) throw new Error('the scene was not made')
  return held.scene
}

/** A sequencer before the run that is to be disturbed. */
async function before(scene: Scene, run: (typeof RUNS)[number]) {
  await scene.begin(run === 'first' ? 'records' : 'logged')
  const faults = withFaults(scene.world.platform)
  const own = await scene.sequencer(faults.platform)
  const beside = await scene.sequencer()
  if (run === 'warm') for (const each of [own, beside]) await each.run()
  await scene.add('news')
  return { faults, own, beside }
}

/** Runs as planned, then goes on as told, lets come what was delayed, and checks the whole log after each step. */
async function disturbed(scene: Scene, run: (typeof RUNS)[number], plan: FaultPlan, then: Then) {
  const { faults, own, beside } = await before(scene, run)
  faults.plan(plan)
  const outcome = await own.run().then(
    () => 'done',
    () => 'failed',
  )
  faults.plan(() => null)
  if (then.endsWith('another batch')) await scene.add('more')
  const next = then.startsWith('restart')
    ? await scene.sequencer()
    : then.startsWith('one beside')
      ? beside
      : own
  await next.run()
  const steps = [await scene.census()]
  await faults.deliver()
  steps.push(await scene.census())
  await next.run()
  steps.push(await scene.census())
  const last = (await (await scene.sequencer()).run()).outcome
  // A restart begins cold: then what the log's own audit reads is all that there is.
  if (then.startsWith('restart')) expect(await auditFindings(scene.world)).toEqual([])
  const blocks = steps[0]?.blocks ?? 0
  return { outcome, last, whole: steps.every((step) => step.blocks === blocks && step.logged === blocks) }
}

/** The calls of a run, each of which is disturbed. */
async function callsOf(scene: Scene, run: (typeof RUNS)[number]): Promise<readonly string[]> {
  const { faults, own } = await before(scene, run)
  faults.plan(() => null)
  await own.run()
  return [...faults.calls()]
}

describe.each(RUNS)('a sequencer whose stores and keys fail in a %s run', (run) => {
  for (const fault of FAULTS)
    for (const then of AFTERWARDS)
      it(`logs every block once, whichever call was ${fault}, then ${then}`, async () => {
        const scene = theScene()
        const calls = await callsOf(scene, run)
        expect(calls.length).toBeGreaterThan(12)
        for (const [k, call] of calls.entries()) {
          const found = await disturbed(scene, run, failAt(k, fault), then)
          expect({ call, ...found }).toEqual({ call, outcome: 'failed', last: 'idle', whole: true })
        }
      })
})

/**
 * A killed process makes no more calls. Failing all of its later calls, undone, is exactly that for everybody else:
 * nothing of it reaches a store after its last call, whatever it does with its errors, and it is not used again. Of
 * calls that are made at the same time, those that were made first are done; tests/core/server/sequence/model has other
 * orders.
 */
describe.each(RUNS)('a sequencer that is killed in a %s run', (run) => {
  for (const then of AFTER_KILL)
    it(`has every block logged once, whichever call was its last, then ${then}`, async () => {
      const scene = theScene()
      const calls = await callsOf(scene, run)
      for (const [k, call] of calls.entries()) {
        const found = await disturbed(scene, run, killAfter(k), then)
        const outcome = k === calls.length - 1 ? 'done' : 'failed'
        expect({ call, ...found }).toEqual({ call, outcome, last: 'idle', whole: true })
      }
    })
})
