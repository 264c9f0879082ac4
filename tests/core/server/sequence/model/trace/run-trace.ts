// SPDX-License-Identifier: Apache-2.0
import type { Append } from '#core/api/append.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { appendBlock } from '#core/server/append/append.ts'
import { APPEND_NEEDS } from '#core/server/append/needs.ts'
import { createQuotas } from '#core/server/append/quota.ts'
import { CLEAR_EVERY_MS } from '#core/server/sequence/marks/clear-marks.ts'
import { MARK_LIFE_MS } from '#core/server/sequence/marks/read-marks.ts'
import type { FreshMarks } from '#core/server/sequence/marks/fresh-marks.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { CHAIN_CHARACTERS } from '#core/server/store/attempt.ts'
import { scheduler } from '#tests/core/server/scheduler.ts'
import { seededRandom, START_MS } from '#tests/deployment.ts'
import { observed, type Fate } from './observed.ts'
import { Refinement } from './steps/refinement.ts'
import type { TracedWorld } from './world.ts'

/** An implementation with a fault: what it does to the calls of sequencers, or of appends. */
export interface Wrong {
  readonly sequencer?: (platform: Platform) => Platform
  readonly append?: (platform: Platform) => Platform
}

const SEQUENCERS = 2
const RUNS = 3

/** One trace while it runs. */
interface Running {
  readonly at: TracedWorld
  readonly wrong: Wrong
  readonly refinement: Refinement
  /** Checks something; after the first violation states mean nothing any more, and the run only comes to its end. */
  readonly check: (act: () => void) => void
  readonly scheduled: (inner: Platform) => Platform
  /** True once in so many times. */
  readonly chance: (of: number) => boolean
}

/**
 * Lets two sequencers, every append, time and a witness run in the order of a seed, with processes that end at any call,
 * and checks each call against the model.
 * @throws Violation for the first call that is no step of it
 */
export async function checkedTrace(at: TracedWorld, seed: number, wrong: Wrong = {}): Promise<Refinement> {
  at.world.clock.now = START_MS
  await at.store.load(at.begin)
  const tree = await at.platform.table('checkpoints').get('log', 'tree')
  const refinement = new Refinement(at.beginning, SEQUENCERS, tree?.version ?? '')
  const failed: { by?: Error } = {}
  const check = (act: () => void) => {
    if (failed.by) return
    try {
      act()
    } catch (error) {
      failed.by = error instanceof Error ? error : new Error(String(error))
    }
  }
  const random = seededRandom(seed * 7919)
  const chance = (of: number) => (random(2)[1] ?? 0) % of === 0
  const { wrap, run } = scheduler(seed)
  const scheduled = (inner: Platform) => exceptQuick(inner, wrap(inner))
  const running = { at, wrong, refinement, check, scheduled, chance }
  const sequencers = Array.from({ length: SEQUENCERS }, (_, i) => sequence(running, i))
  const appends = at.appends.map((sent, i) => append(running, i, sent))
  const results = await run([...sequencers, ...appends, others(running)])
  for (const result of results) if (result.status === 'rejected') check(() => rethrow(result.reason))
  if (failed.by) throw failed.by
  return refinement
}

/** A process that sequences; another takes its place where it ends. */
async function sequence(running: Running, actor: number): Promise<void> {
  const { check, refinement, chance } = running
  let own = await begun(running, actor)
  for (let i = 0; i < RUNS; i++) {
    const error = await own.sequencer.run(chance(2) ? null : toldOf(chance)).then(
      () => null,
      (reason: unknown) => reason,
    )
    if (own.fate.isDead) {
      check(() => refinement.crash(actor))
      own = await begun(running, actor)
    } else if (error !== null) check(() => rethrow(error))
  }
}

/** Some of the shards, true or not. */
function toldOf(chance: Running['chance']): FreshMarks {
  return new Map(
    CHAIN_CHARACTERS.split('')
      .filter(() => chance(2))
      .map((shard) => [shard, 0]),
  )
}

async function begun({ at, wrong, refinement, check, scheduled, chance }: Running, actor: number) {
  // Not between shards of marks, which are read at once.
  const next = (name: string) =>
    name === 'dirty.range' || !chance(60) ? null : chance(2) ? 'before' : 'after'
  const fate: Fate = { next, isDead: false }
  const inner = observed(at.platform, actor, fate, (call) => check(() => refinement.take(call)))
  const ports = await select(scheduled(wrong.sequencer?.(inner) ?? inner), SEQUENCER_NEEDS)
  return { fate, sequencer: createSequencer(ports, at.home) }
}

/** What comes too early, or too late, is refused before it marks anything, and sent again. */
async function append(
  { at, wrong, refinement, check, scheduled }: Running,
  i: number,
  sent: Append,
): Promise<void> {
  const fate: Fate = { next: () => null, isDead: false }
  const inner = observed(at.platform, -1 - i, fate, (call) => check(() => refinement.take(call)))
  const ports = await select(scheduled(wrong.append?.(inner) ?? inner), APPEND_NEEDS)
  for (let tries = 0; tries < 8; tries++) {
    const isDone = await appendBlock(ports, at.world.home, createQuotas(ports), sent).then(
      () => true,
      () => false,
    )
    if (isDone) return
  }
}

/** A witness, and time, which in half of the traces passes once, so that marks become old. */
async function others({ at, refinement, check, scheduled, chance }: Running): Promise<void> {
  const { clock } = at.world
  const turns = scheduled(at.platform).table('quotas')
  for (let i = 0; i < 12; i++) {
    await turns.get('nobody', 'waits')
    check(() => refinement.witness())
    if (i !== 4 || !chance(2)) continue
    clock.now += MARK_LIFE_MS + CLEAR_EVERY_MS
    check(() => refinement.age(toTimestamp(clock.now - MARK_LIFE_MS)))
  }
}

/** Reading shards of marks, and what the model leaves out, takes no turn of its own. */
function exceptQuick(inner: Platform, slow: Platform): Platform {
  return {
    ...slow,
    signer: async (name) => inner.signer(name),
    table: (name) => {
      if (name === 'registry') return inner.table(name)
      if (name !== 'dirty') return slow.table(name)
      return { ...slow.table(name), range: (...args) => inner.table(name).range(...args) }
    },
  }
}

function rethrow(error: unknown): never {
  throw error
}
