// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { labelPrefixes, mayHave } from '#core/server/sequence/labels/label-index.ts'

const label = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('beginnings of labels', () => {
  it('say of every label that it may be there, and of no other but one that begins alike', () => {
    fc.assert(
      fc.property(fc.array(label, { maxLength: 300 }), label, (labels, other) => {
        const prefixes = labelPrefixes(labels)
        expect(labels.every((each) => mayHave(prefixes, each))).toBe(true)
        const alike = labels.some((each) => each.slice(0, 6).every((byte, i) => byte === other[i]))
        expect(mayHave(prefixes, other)).toBe(alike)
      }),
    )
  })

  it('tell apart what differs in the last byte of them alone, and not what differs after it', () => {
    const one = new Uint8Array(32).fill(255)
    const [within, beyond] = [one.slice(), one.slice()]
    within[5] = 254
    beyond[6] = 0
    const prefixes = labelPrefixes([one])
    expect([mayHave(prefixes, within), mayHave(prefixes, beyond)]).toEqual([false, true])
  })
})
