// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import type { RevocationVectors } from '#tests/vectors/ampere/generate-revocations.ts'
import { describeWithPython, revocationsInPython } from './software.ts'

const file = new URL('../../vectors/ampere/revocations.json', import.meta.url)
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: RevocationVectors }

describeWithPython('revocations that are shown, in Python', () => {
  it('are what they are here', () => {
    const { registry, records, accepted, rejected } = vectors
    const statements = [...accepted, ...rejected].map(({ statement }) => statement)
    expect(revocationsInPython({ registry, records, statements })).toEqual([
      ...accepted.map(({ institution, kid }) => ({ institution, kid })),
      ...rejected.map(({ code, rule }) => ({ code, rule })),
    ])
  })
})
