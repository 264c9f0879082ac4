// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { auditNow, growTo, logged } from './logged.ts'

describe('the audit of a log', () => {
  it.each([3, 4, 255, 256, 257, 513])('finds nothing in a log of %i leaves', async (size) => {
    const at = await logged()
    await growTo(at, size, 50)
    const { report } = await auditNow(at)
    expect(report).toEqual({ size, from: 0, blocks: size, findings: [], unlisted: 0 })
  })
})
