// SPDX-License-Identifier: Apache-2.0
import { describe } from '@jest/globals'
import { buildPrograms, whatIsMissing } from './programs.ts'

/**
 * `describe` where Go and the modules of go.sum are; elsewhere the tests are skipped under a name that says why. The
 * programs are built first, which takes minutes the first time and nothing after it.
 * @throws when they do not compile
 */
export function describeWithGo(name: string, tests: () => void): void {
  const missing = whatIsMissing()
  if (missing === null) {
    buildPrograms()
    describe(name, tests)
    return
  }
  const skipped = `${name} (skipped: ${missing})`
  describe.skip(skipped, tests)
  // Jest only counts the tests of a file in which all are skipped.
  process.stderr.write(`${skipped}\n`)
}
