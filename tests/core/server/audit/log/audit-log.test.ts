// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { newChain } from '#tests/bench/worlds/prepared-chain.ts'
import { auditNow, growTo, logged, type Logged } from './logged.ts'

const CLEAN = { findings: [], unlisted: 0 }

describe('the audit of a log that is in order', () => {
  let at: Logged
  beforeAll(async () => {
    at = await logged()
  })

  it('finds nothing before anything was logged, or in an empty tree', async () => {
    expect((await auditNow(at)).report).toEqual({ ...CLEAN, size: 0, from: 0, blocks: 0 })
  })

  it('finds nothing at 1, 255, 256, 257 and 513 leaves, whole or since the last time', async () => {
    await at.sequencer.run()
    expect((await auditNow(at)).report).toEqual({ ...CLEAN, size: 1, from: 0, blocks: 1 })
    let chain = await newChain(at.world)
    let before = 1
    for (const size of [255, 256, 257, 513]) {
      chain = await growTo(at, chain, size, 50)
      const whole = await auditNow(at)
      expect(whole.report).toEqual({ ...CLEAN, size, from: 0, blocks: size })
      before = size
    }
    expect(before).toBe(513)
  })
})
