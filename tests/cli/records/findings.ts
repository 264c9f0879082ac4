// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { fileURLToPath } from 'node:url'
import { copyOf, jsonOf, run } from '../harness.ts'
import { lines, told } from '../told.ts'
import type { ToldDemo } from './told-demo.ts'

/** What records say, and whether that fits together. */
export function findsWhatContradicts(at: ToldDemo): void {
  describe('findings', () => {
    it('come gravest first, with sources and pointers to the evidence, and are entered in the access log', async () => {
      const folder = copyOf(at.folder)
      const before = jsonOf(await run(['audit', '--stores', '--json', '--data', folder]))
      const items = (await told(folder, 'findings'))['items'] as Record<string, unknown>[]
      expect(items.map(({ severity }) => severity)).toEqual(['safety', 'safety', 'error', 'info'])
      expect(items.find(({ rule }) => rule === 'R80')).toMatchObject({
        chain: at.record,
        sources: ['hospital-a', 'hospital-b'],
        evidence: [
          { source: 'hospital-a', type: 'AllergyIntolerance', pointer: '/code' },
          { source: 'hospital-b', type: 'MedicationRequest', pointer: '/medicationCodeableConcept' },
        ],
      })
      const after = jsonOf(await run(['audit', '--stores', '--json', '--data', folder]))
      expect(Number(after['blocks'])).toBe(Number(before['blocks']) + 1)
      expect((await lines(folder, 'findings', '--severity', 'safety')).out).toMatch(
        /^safety {2}R25 [^]*\n2 findings\n$/,
      )
    }, 30_000)

    it('are listed of the other records when one is damaged, which is said', async () => {
      const folder = copyOf(at.folder)
      await lines(folder, 'demo', 'tamper')
      expect(await told(folder, 'findings')).toMatchObject({
        exit: 3,
        ok: false,
        items: [{}, {}, {}, {}],
        problems: [{ chain: at.record, height: 2, rule: 'keys-root' }],
      })
      const file = fileURLToPath(
        new URL('../../samples/bulk-ndjson/AllergyIntolerance.000.ndjson', import.meta.url),
      )
      await lines(folder, 'import', file)
      await lines(folder, 'demo', 'tamper', '--what', 'block')
      const found = await told(folder, 'findings')
      expect(found).toMatchObject({
        exit: 3,
        ok: false,
        problems: [{ chain: at.record, status: 'tampered' }],
      })
      const { out } = await lines(folder, 'findings')
      expect(out).toContain(`may be missing:\n${at.short}  FAILED`)
      expect((await lines(folder, 'verify', '--all')).out).toContain(`${at.short}  FAILED block 2`)
      expect(await lines(folder, 'demo', 'tamper')).toMatchObject({
        code: 1,
        err: expect.stringContaining('demo reset'),
      })
    }, 60_000)

    it('of an institution without records are none, and nothing is said to fit', async () => {
      const { out } = await lines(at.folder, 'findings', '--as', 'clinic-c')
      expect(out).toBe('0 findings: clinic-c knows no record yet.\n')
    })
  })

  describe('audit', () => {
    it('checks the stores, then what the records of the institution say', async () => {
      const folder = copyOf(at.folder)
      expect(await told(folder, 'audit')).toMatchObject({
        exit: 0,
        problems: [],
        contents: { institution: 'hospital-a', records: 1, findings: 4, fresh: 0, failed: 0 },
      })
      expect(await told(folder, 'audit', '--stores')).toMatchObject({ exit: 0, contents: null })
      await told(folder, 'demo', 'tamper', '--what', 'key-row')
      expect(await told(folder, 'audit', '--as', 'hospital-b')).toMatchObject({
        exit: 3,
        contents: { institution: 'hospital-b', records: 1 },
      })
    }, 30_000)
  })
}
