// SPDX-License-Identifier: Apache-2.0
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { appendBlock } from '#core/server/append/append.ts'
import { WRITER_NEEDS } from '#core/server/append/needs.ts'
import { createQuotas } from '#core/server/append/quota.ts'
import { CLEAR_EVERY_MS } from '#core/server/sequence/marks/clear-marks.ts'
import { MARK_LIFE_MS } from '#core/server/sequence/marks/read-marks.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { scheduler } from '#tests/core/server/scheduler.ts'
import { seededRandom, START_MS } from '#tests/deployment.ts'
import { observed, type Call, type Fate } from './observed.ts'
import { Refinement } from './steps/refinement.ts'
import type { TracedWorld } from './world.ts'

/** An implementation with a fault: what it does to the calls of sequencers, or of appends. */
export interface Wrong {
  readonly sequencer?: (platform: Platform) => Platform
  readonly append?: (platform: Platform) => Platform
}

const SEQUENCERS = 2
const RUNS = 3

/**
 * Lets two sequencers, every append, time and a witness run in the order of a seed, with processes that end at any call,
 * and checks each call against the model.
 * @throws Violation for the first call that is no step of it
 */
export async function checkedTrace(at: TracedWorld, seed: number, wrong: Wrong = {}): Promise<Refinement> {
  const { world, store, begin, platform } = at
  world.clock.now = START_MS
  await store.load(begin)
  const tree = await platform.table('checkpoints').get('log', 'tree')
  const refinement = new Refinement(at.beginning, SEQUENCERS, tree?.version ?? '')
  const failed: { by?: unknown } = {}
  // After the first violation states mean nothing any more; the rest of the run only comes to its end.
  const check = (act: () => void) => {
    if (failed.by !== undefined) return
    try {
      act()
    } catch (error) {
      failed.by = error
    }
  }
  const tell = (call: Call) => check(() => refinement.take(call))
  const random = seededRandom(seed * 7919)
  const chance = (of: number) => (random(2)[1] ?? 0) % of === 0
  const { wrap, run } = scheduler(seed)
  const scheduled = (inner: Platform) => exceptQuick(inner, wrap(inner))
  const begun = async (actor: number) => {
    // Not between shards of marks, which are read at once.
    const next = (name: string) =>
      name === 'dirty.range' || !chance(60) ? null : chance(2) ? 'before' : 'after'
    const fate: Fate = { next, isDead: false }
    const inner = observed(platform, actor, fate, tell)
    const ports = await select(scheduled(wrong.sequencer?.(inner) ?? inner), SEQUENCER_NEEDS)
    return { fate, sequencer: createSequencer(ports, world.home) }
  }
  const sequence = async (actor: number) => {
    let own = await begun(actor)
    for (let i = 0; i < RUNS; i++) {
      const error = await own.sequencer.run().then(
        () => null,
        (reason: unknown) => reason,
      )
      if (!own.fate.isDead) {
        if (error !== null) check(() => rethrow(error))
        continue
      }
      check(() => refinement.crash(actor))
      own = await begun(actor)
    }
  }
  const append = async (i: number) => {
    const fate: Fate = { next: () => null, isDead: false }
    const inner = observed(platform, -1 - i, fate, tell)
    const ports = await select(scheduled(wrong.append?.(inner) ?? inner), WRITER_NEEDS)
    const sent = at.appends[i]
    // What comes too early, or too late, is refused before it marks anything.
    for (let tries = 0; sent && tries < 8; tries++)
      if (
        await appendBlock(ports, world.home, createQuotas(ports), sent).then(
          () => true,
          () => false,
        )
      )
        return
  }
  const others = async () => {
    const table = scheduled(platform).table('quotas')
    for (let i = 0; i < 12; i++) {
      await table.get('nobody', 'waits')
      check(() => refinement.witness())
      if (i !== 4 || !chance(2)) continue
      world.clock.now += MARK_LIFE_MS + CLEAR_EVERY_MS
      check(() => refinement.age(toTimestamp(world.clock.now - MARK_LIFE_MS)))
    }
  }
  const indexes = Array.from({ length: SEQUENCERS }, (_, i) => i)
  const results = await run([...indexes.map(sequence), ...at.appends.map((_, i) => append(i)), others()])
  for (const result of results) if (result.status === 'rejected') check(() => rethrow(result.reason))
  if (failed.by !== undefined) throw failed.by
  return refinement
}

/** Reading shards of marks, and what the model leaves out, takes no turn of its own. */
function exceptQuick(inner: Platform, slow: Platform): Platform {
  return {
    ...slow,
    signer: inner.signer,
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
