// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { testDeployment } from '#tests/deployment.ts'
import { ACTS } from './acts.ts'
import { entry, failEachCall, FAULTS, HOME } from './each-call.ts'

describe.each(Object.entries(ACTS))('%s', (_, act) => {
  it.each(FAULTS)(
    'survives every single call that fails %s',
    async (fault) => {
      expect(await failEachCall(act, fault)).toBeGreaterThan(fault === 'not-applied' ? 5 : 2)
    },
    120_000,
  )
})

describe('an append', () => {
  it('makes the same calls at every height', async () => {
    const counted: { counts?: ReturnType<typeof countCalls> } = {}
    const world = await testDeployment(['hospital-a'], {
      platform: (base) => {
        counted.counts = countCalls(base)
        return counted.counts.platform
      },
    })
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['general'])
    const replica = await a.replica(record)
    expect(replica.notes).toHaveLength(2)
    const measure = async () => {
      counted.counts?.reset()
      await a.append(record, [entry('x')])
      return Object.fromEntries(
        Object.entries(counted.counts?.counts() ?? {}).filter(([name]) => /insert|store|sign/.test(name)),
      )
    }
    const early = await measure()
    for (let i = 0; i < 30; i++) await a.append(record, [entry('y')])
    expect(await measure()).toEqual(early)
    expect(early).toEqual({
      'objects.entries.store': 1,
      'table.wraps.insert': 1,
      'table.dirty.insert': 1,
      'table.blocks.insert': 1,
      'key.head.sign': 2,
    })
  })
})
