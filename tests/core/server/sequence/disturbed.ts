// SPDX-License-Identifier: Apache-2.0
import { expect } from '@jest/globals'
import { failAt, killAfter, withFaults, type Fault, type FaultPlan } from '#adapters/around/faults.ts'
import { auditFindings, type Scene } from './scene.ts'

export const FAULTS = ['not-applied', 'applied-unknown', 'delayed'] as const satisfies readonly Fault[]
/** Which run is disturbed: the first of a log, the first of a process, one of a process that ran before. */
export const RUNS = ['first', 'cold', 'warm'] as const
/** What comes after it. */
export const AFTERWARDS = ['same batch', 'another batch', 'restart', 'restart with another batch'] as const
/** A sequencer that was killed does not go on itself; one that ran beside it all along may. */
export const AFTER_KILL = [
  'one beside it',
  'one beside it with another batch',
  AFTERWARDS[2],
  AFTERWARDS[3],
] as const
export type Run = (typeof RUNS)[number]
export type Then = (typeof AFTERWARDS)[number] | (typeof AFTER_KILL)[number]

/** A sequencer before the run that is to be disturbed. */
async function before(scene: Scene, run: Run) {
  await scene.begin(run === 'first' ? 'records' : 'logged')
  const faults = withFaults(scene.world.platform)
  const own = await scene.sequencer(faults.platform)
  const beside = await scene.sequencer()
  if (run === 'warm') for (const each of [own, beside]) await each.run()
  await scene.add('news')
  return { faults, own, beside }
}

/** Runs as planned, then goes on as told, lets come what was delayed, and checks the whole log after each step. */
async function disturbed(scene: Scene, run: Run, plan: FaultPlan, then: Then) {
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
async function callsOf(scene: Scene, run: Run): Promise<readonly string[]> {
  const { faults, own } = await before(scene, run)
  faults.plan(() => null)
  await own.run()
  return [...faults.calls()]
}

/** Each call of a run that is chosen fails in turn in this way; then the log must be whole. @returns how many were chosen */
export async function failEach(
  scene: Scene,
  { run, fault, next }: { readonly run: Run; readonly fault: Fault; readonly next: Then },
  isChosen: (call: string) => boolean = () => true,
): Promise<number> {
  const calls = [...(await callsOf(scene, run)).entries()].filter(([, call]) => isChosen(call))
  for (const [k, call] of calls) {
    const found = await disturbed(scene, run, failAt(k, fault), next)
    expect({ call, ...found }).toEqual({ call, outcome: 'failed', last: 'idle', whole: true })
  }
  return calls.length
}

/** The sequencer is killed after each call of a run in turn; then the log must be whole. */
export async function killAfterEach(scene: Scene, run: Run, then: Then): Promise<void> {
  const calls = await callsOf(scene, run)
  for (const [k, call] of calls.entries()) {
    const found = await disturbed(scene, run, killAfter(k), then)
    const outcome = k === calls.length - 1 ? 'done' : 'failed'
    expect({ call, ...found }).toEqual({ call, outcome, last: 'idle', whole: true })
  }
}
