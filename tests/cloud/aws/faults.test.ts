// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, it } from '@jest/globals'
import type { Platform } from '#core/ports/needs.ts'
import { storesOn } from '#tests/core/server/resettable.ts'
import { failEach } from '#tests/core/server/sequence/disturbed.ts'
import { makeScene } from '#tests/core/server/sequence/scene.ts'
import { ACTS } from '#tests/fault/acts.ts'
import { failEachCall, FAULTS, type OpenBase } from '#tests/fault/each-call.ts'
import { describeOn, makeStack } from './stack.ts'

/** One of each kind of write: a block, a block with a new control state and packages, an erasure. tests/fault has all. */
const CHOSEN = ['append', 'revoke', 'erasure'] as const

describeOn('MiniStack', 'a home whose every call fails', () => {
  const opened: Platform[] = []
  const openBase: OpenBase = async (clock) => {
    const platform = (await makeStack('MiniStack')).open({ now: () => clock.now })
    opened.push(platform)
    return platform
  }
  afterAll(async () => {
    for (const platform of opened) await platform.close()
  })

  for (const name of CHOSEN)
    it.each(FAULTS)(
      `survives every single call of ${name} that fails %s`,
      async (fault) => {
        expect(await failEachCall(ACTS[name], fault, openBase)).toBeGreaterThan(
          fault === 'not-applied' ? 5 : 2,
        )
      },
      300_000,
    )

  it.each(['applied-unknown', 'delayed'] as const)(
    'logs every block once, whichever write of its sequencer was %s, then restarts',
    async (fault) => {
      const platform = await openBase({ now: 0 })
      const scene = await makeScene(storesOn(platform))
      const writes = (call: string) => /\.(insert|swap|store|shred)$/.test(call)
      expect(await failEach(scene, { run: 'warm', fault, then: 'restart' }, writes)).toBeGreaterThan(5)
    },
    600_000,
  )
})
