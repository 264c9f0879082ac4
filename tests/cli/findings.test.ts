// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { fileURLToPath } from 'node:url'
import { copyOf, freshFolder, jsonOf, run, testPort } from './harness.ts'
import { lines, told } from './told.ts'

/** A told demo that no test changes: those that do, copy it. */
const demo = freshFolder()
let record = ''
let short = ''

beforeAll(async () => {
  const started = await run(['start', '--demo', '--once', '--json', '--data', demo, '--port', testPort(9)])
  record = String(jsonOf(started)['record'])
  short = record.slice(0, 8)
}, 60_000)

describe('findings', () => {
  it('come gravest first, with sources and pointers to the evidence, and are entered in the access log', async () => {
    const folder = copyOf(demo)
    const before = jsonOf(await run(['audit', '--stores', '--json', '--data', folder]))
    const items = (await told(folder, 'findings'))['items'] as Record<string, unknown>[]
    expect(items.map(({ severity }) => severity)).toEqual(['safety', 'safety', 'error', 'info'])
    expect(items.find(({ rule }) => rule === 'R80')).toMatchObject({
      chain: record,
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
    const folder = copyOf(demo)
    await lines(folder, 'demo', 'tamper')
    expect(await told(folder, 'findings')).toMatchObject({
      exit: 3,
      ok: false,
      items: [{}, {}, {}, {}],
      problems: [{ chain: record, height: 2, rule: 'keys-root' }],
    })
    const file = fileURLToPath(
      new URL('../samples/bulk-ndjson/AllergyIntolerance.000.ndjson', import.meta.url),
    )
    await lines(folder, 'import', file)
    await lines(folder, 'demo', 'tamper', '--what', 'block')
    const found = await told(folder, 'findings')
    expect(found).toMatchObject({ exit: 3, ok: false, problems: [{ chain: record, status: 'tampered' }] })
    const { out } = await lines(folder, 'findings')
    expect(out).toContain(`may be missing:\n${short}  FAILED`)
    expect((await lines(folder, 'verify', '--all')).out).toContain(`${short}  FAILED block 2`)
    expect(await lines(folder, 'demo', 'tamper')).toMatchObject({
      code: 1,
      err: expect.stringContaining('demo reset'),
    })
  }, 60_000)

  it('of an institution without records are none, and nothing is said to fit', async () => {
    const { out } = await lines(demo, 'findings', '--as', 'clinic-c')
    expect(out).toBe('0 findings: clinic-c knows no record yet.\n')
  })
})

describe('audit', () => {
  it('checks the stores, then what the records of the institution say', async () => {
    const folder = copyOf(demo)
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
