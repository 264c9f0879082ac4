// SPDX-License-Identifier: Apache-2.0
import { afterAll, expect, it } from '@jest/globals'
import type { Platform } from '#core/ports/needs.ts'
import { storesOn } from '#tests/core/server/resettable.ts'
import { failEach } from '#tests/core/server/sequence/disturbed.ts'
import { makeScene } from '#tests/core/server/sequence/scene.ts'
import { ACTS } from '#tests/fault/acts.ts'
import { failEachCall, type OpenBase } from '#tests/fault/each-call.ts'
import { describeOn, makeStack } from './stack.ts'

/** One of each kind of write, and the way to fail that leaves something behind; tests/fault has all, in memory. */
const CHOSEN = [
  ['append', 'not-applied'],
  ['append', 'applied-unknown'],
  ['revoke', 'applied-unknown'],
  ['erasure', 'applied-unknown'],
] as const

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

  it.each(CHOSEN)(
    'survives every single call of %s that fails %s',
    async (name, fault) => {
      expect(await failEachCall(ACTS[name], fault, openBase)).toBeGreaterThan(2)
    },
    300_000,
  )

  it('logs every block once, whichever write of its sequencer was done and not known to be, then restarts', async () => {
    const scene = await makeScene(storesOn(await openBase({ now: 0 })))
    const how = { run: 'warm', fault: 'applied-unknown', next: 'restart' } as const
    const isWrite = (call: string) => /\.(insert|swap|store|shred)$/.test(call)
    expect(await failEach(scene, how, isWrite)).toBeGreaterThan(5)
  }, 600_000)
})
