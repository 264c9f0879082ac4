// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { tryLines } from '#cli/commands/deployment/report.ts'

const asked = (given: object) =>
  tryLines({ options: { color: false, input: false, ...given } }, 'http://127.0.0.1:7310', 'p1').filter(
    (line) => line.includes('curl'),
  )

it('what is to be tried next names no request that would not be answered', () => {
  expect(asked({})).toEqual([expect.stringContaining('http://127.0.0.1:7310/hospital-b/fhir/Patient/p1')])
  // Nothing is served, or whoever has no token gets 401.
  expect(asked({ once: true })).toEqual([])
  expect(asked({ requireLogin: true })).toEqual([])
})
