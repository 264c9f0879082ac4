// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { isAmpereError } from '#core/errors.ts'
import type { EvidencePins } from '#core/evidence/trust.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'

const FOLDER = new URL('../../vectors/ampere/evidence/', import.meta.url)
const { vectors: pins } = JSON.parse(readFileSync(new URL('pins.json', FOLDER), 'utf8')) as {
  vectors: EvidencePins
}
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.ampere-evidence'))
  .map((name) => new Uint8Array(readFileSync(new URL(name, FOLDER))))
const SYMBOLS = 'ABab01-_.,:"{}[]\n+/= '.split('').map((symbol) => symbol.charCodeAt(0))

describe('evidence with another byte', () => {
  it('convinces of the same as before, where nobody signed that byte, or of nothing', async () => {
    const proved = await Promise.all(files.map(async (bytes) => (await verifyEvidence(bytes, pins)).proves))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(files.length - 1),
        fc.nat(),
        fc.constantFrom(...SYMBOLS),
        async (file, at, symbol) => {
          const bytes = new Uint8Array(files[file] ?? [])
          bytes[at % bytes.length] = symbol
          try {
            expect((await verifyEvidence(bytes, pins)).proves).toBe(proved[file])
          } catch (error) {
            if (!isAmpereError(error, 'EVIDENCE_MALFORMED', 'VERIFICATION_FAILED')) throw error
          }
        },
      ),
      { numRuns: 600 },
    )
  })

  it('and cut anywhere is no evidence', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(files.length - 1), fc.nat(), async (file, at) => {
        const bytes = files[file] ?? new Uint8Array(0)
        await expect(verifyEvidence(bytes.slice(0, at % bytes.length), pins)).rejects.toMatchObject({
          code: 'EVIDENCE_MALFORMED',
        })
      }),
    )
  })
})
