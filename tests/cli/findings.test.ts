// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLocal } from '#adapters/local/open.ts'
import { copyOf, freshFolder, jsonOf, run, testPort } from './harness.ts'
import { lines, told } from './told.ts'

/** A told demo that no test changes: those that do, copy it. */
const demo = freshFolder()
let record = ''
let short = ''

beforeAll(async () => {
  const started = await run([
    'start',
    '--demo',
    '--no-witness',
    '--once',
    '--json',
    '--data',
    demo,
    '--port',
    testPort(9),
  ])
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

describe('audit of the log', () => {
  it('names what is damaged, exits with 3, and puts right what signed data decides', async () => {
    const folder = copyOf(demo)
    const before = await told(folder, 'audit', '--stores')
    expect(before).toMatchObject({ exit: 0, repaired: null, log: { from: 0, findings: [], unlisted: 0 } })
    const { size } = before['log'] as { size: number }
    expect(await told(folder, 'audit', '--stores', '--since-last')).toMatchObject({
      exit: 0,
      log: { size, from: size, findings: [] },
    })
    const passphrase = readFileSync(join(folder, 'passphrase'), 'utf8').trim()
    const where = `tile/0/000.p/${size}`
    const damage = async () => {
      const platform = openLocal({ folder: join(folder, 'home'), passphrase })
      await platform.objects('log').shred(where)
      await platform.close()
    }
    await damage()
    const { code, out } = await lines(folder, 'audit', '--stores')
    expect({ code, out }).toMatchObject({
      code: 3,
      out: expect.stringContaining(`FAILED ${where}: missing. The tile is not stored (rule tile).`),
    })
    expect(out).toMatch(/Next: npx ampere audit .*--repair/)
    // What the newest commit promised, the sequencer has stored again when the command ended.
    await damage()
    expect(await told(folder, 'audit', '--stores', '--repair')).toMatchObject({
      exit: 0,
      repaired: [{ where, rule: 'tile' }],
      log: { size, findings: [] },
    })
    expect(await told(folder, 'audit', '--stores')).toMatchObject({ exit: 0, log: { findings: [] } })
  }, 30_000)
})

describe('what is not what it was', () => {
  it('is said of a record that the home shows nothing of any more, and of whom it speaks', async () => {
    const folder = copyOf(demo)
    const file = fileURLToPath(
      new URL('../samples/bulk-ndjson/AllergyIntolerance.000.ndjson', import.meta.url),
    )
    const before = copyOf(folder)
    await lines(folder, 'import', file, '--as', 'hospital-b')
    rmSync(join(folder, 'home'), { recursive: true })
    cpSync(join(before, 'home'), join(folder, 'home'), { recursive: true })
    const { code, out } = await lines(folder, 'verify', '--all', '--as', 'hospital-b')
    expect(code).toBe(3)
    expect(out).toMatch(/^As hospital-b: /)
    expect(out).toContain('FAILED: missing. The home shows nothing of it')
    for (const command of [['chain', 'list'], ['findings']]) {
      const listed = await lines(folder, ...command, '--as', 'hospital-b')
      expect([listed.code, listed.out]).toEqual([3, expect.stringContaining('rule withheld')])
      expect(listed.out).toContain(short)
    }
    expect(out).toContain('records that only hospital-a or clinic-c knows (--as ID)')
    expect((await lines(folder, 'import', file, '--as', 'hospital-a')).out).toMatch(/ as hospital-a/)
  }, 30_000)

  it('is said of an export that was cut short, and not of a file that is none', async () => {
    const folder = copyOf(demo)
    const file = join(folder, 'record.ampere')
    await lines(folder, 'chain', 'export', short, file)
    const whole = readFileSync(file)
    for (const length of [20_000, whole.lastIndexOf(10, -2) + 1]) {
      writeFileSync(file, whole.subarray(0, length))
      const { code, out } = await lines(folder, 'verify', file)
      expect([code, out]).toEqual([3, expect.stringContaining('rule export-form')])
    }
    writeFileSync(file, 'hello\n')
    expect((await lines(folder, 'verify', file)).code).toBe(1)
    writeFileSync(file, whole)
    const other = await lines(folder, 'verify', file, '--registry', 'A'.repeat(43))
    expect([other.code, other.out]).toEqual([3, expect.stringContaining('is verified with --registry ID')])
  })
})

describe('a policy for witnesses', () => {
  it('that does not have the log of the home, or is none, keeps it from starting, and doctor says so', async () => {
    const folder = copyOf(demo)
    expect((await lines(folder, 'doctor')).out).not.toContain('Policy')
    for (const text of ['quorum none\n', 'junk\n']) {
      writeFileSync(join(folder, 'policy.txt'), text)
      const started = await lines(folder, 'start', '--once', '--no-witness')
      expect([started.code, started.err]).toEqual([1, expect.stringContaining('policy.txt')])
      expect((await lines(folder, 'doctor')).out).toMatch(/Policy[^\n]*policy\.txt/)
    }
  })
})

describe('a day that no calendar has', () => {
  it('is refused before anything is signed', async () => {
    const grant = ['grant', short, 'clinic-c', '--compartments', 'general', '--until']
    const { code, err } = await lines(copyOf(demo), ...grant, '2027-02-31')
    expect([code, err]).toEqual([2, expect.stringContaining('a day (2026-11-23)')])
  })
})
