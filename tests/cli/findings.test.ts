// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { fileURLToPath } from 'node:url'
import { copyOf, freshFolder, jsonOf, run, testPort, type Ended } from './harness.ts'

/** A told demo that no test changes: those that do, copy it. */
const demo = freshFolder()
let record = ''
let short = ''

const lines = (folder: string, ...args: string[]): Promise<Ended> => run([...args, '--data', folder])
const told = async (folder: string, ...args: string[]) => {
  const ended = await lines(folder, ...args, '--json')
  return { exit: ended.code, ...jsonOf(ended) }
}

beforeAll(async () => {
  const started = await run(['start', '--demo', '--once', '--json', '--data', demo, '--port', testPort(9)])
  record = String(jsonOf(started)['record'])
  short = record.slice(0, 8)
}, 60_000)

describe('findings', () => {
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
