// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import type { Platform, TableName } from '#core/ports/needs.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { Violation } from '../sequencer-steps.ts'
import { checkedTrace, type Wrong } from './run-trace.ts'
import { tracedWorld, type TracedWorld } from './world.ts'

const TRACES = process.env['SLOW'] === '1' ? 3000 : 200

let at: TracedWorld
beforeAll(async () => {
  at = await tracedWorld()
})

/** Changes what calls of one table do. */
function changing(name: TableName, change: (own: WriteTable, home: Platform) => Partial<WriteTable>) {
  return (home: Platform): Platform => ({
    ...home,
    table: (each) =>
      each === name ? { ...pass(home.table(each)), ...change(home.table(each), home) } : home.table(each),
  })
}

function pass(own: WriteTable): WriteTable {
  return {
    get: (...args) => own.get(...args),
    range: (...args) => own.range(...args),
    insert: (...args) => own.insert(...args),
    swap: (...args) => own.swap(...args),
  }
}

/** Wrong implementations, and what is seen of them. */
const WRONG: readonly (readonly [what: string, wrong: Wrong, seen: RegExp])[] = [
  [
    'publishes a tree before it commits it',
    {
      sequencer: changing('checkpoints', (own) => ({
        swap: async (partition, key, expected, next) => {
          if (key === 'tree' && next) {
            const { note } = JSON.parse(Buffer.from(next).toString()) as { note: string }
            const row = await own.get('log', 'published')
            await own.swap('log', 'published', row?.version ?? null, Buffer.from(note))
          }
          return own.swap(partition, key, expected, next)
        },
      })),
    },
    /^a tree is published before its time$/,
  ],
  [
    'removes a mark before its block is logged',
    {
      sequencer: changing('dirty', (own) => ({
        range: async (partition, range) => {
          const rows = await own.range(partition, range)
          for (const { key, version } of rows) await own.swap(partition, key, version, null)
          return rows
        },
      })),
    },
    /^a mark is removed that was not looked at$/,
  ],
  [
    'passes over marks',
    {
      sequencer: changing('dirty', (own) => ({
        range: async (partition, range) => {
          const rows = await own.range(partition, range)
          return range?.to === undefined ? [] : rows
        },
      })),
    },
    /^a chain is not read although it has a young mark$/,
  ],
  [
    'commits over whatever was committed',
    {
      sequencer: changing('checkpoints', (own) => ({
        swap: async (partition, key, expected, next) => {
          const row = key === 'tree' ? await at.platform.table('checkpoints').get(partition, key) : null
          return own.swap(partition, key, row?.version ?? expected, next)
        },
      })),
    },
    /^a tree is committed that the model refuses, or the other way round$/,
  ],
  [
    'keeps no positions',
    { sequencer: changing('leaves', () => ({ insert: async () => 'inserted' as const })) },
    /^a position of what is committed is not stored$/,
  ],
  [
    'stores a block before its mark',
    { append: changing('dirty', () => ({ insert: async () => 'inserted' as const })) },
    /^a block is stored before its mark$/,
  ],
]

describe('calls of a real run', () => {
  it('are steps of the model, in whatever order they fall', async () => {
    const taken = new Map<string, number>()
    for (let seed = 1; seed <= TRACES; seed++)
      for (const [step, count] of (await checkedTrace(at, seed)).taken)
        taken.set(step, (taken.get(step) ?? 0) + count)
    // Every step that the model has is taken by some of them; `again` needs a bundle that goes between two calls.
    for (const step of STEPS) expect([step, taken.get(step) ?? 0]).not.toEqual([step, 0])
  }, 600_000)

  it.each(WRONG)('are no steps of the model when one %s', async (_, wrong, seen) => {
    const violations: string[] = []
    for (let seed = 1; seed <= 40 && violations.length === 0; seed++)
      await checkedTrace(at, seed, wrong).catch((error: unknown) => {
        if (!(error instanceof Violation)) throw error
        violations.push(error.message)
      })
    expect(violations[0]).toMatch(seen)
  })
})

const STEPS = [
  'load',
  'append: mark',
  'append: store',
  'crash',
  'look',
  'position',
  'read',
  'stage',
  'read back',
  'commit',
  'lost',
  'drop',
  'position stored',
  'files',
  'publish',
  'fetch',
  'shred',
  'aging',
  'mark removed',
  'witness: ask',
  'witness: cosign',
]
