// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inflateRawSync } from 'node:zlib'
import { openLocal } from '#adapters/local/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { copyOf, freshFolder, run, runProcess, testPort, type Ended } from '../harness.ts'

const DEMO = new URL('../../../demo/', import.meta.url)
const folder = freshFolder()

/** In this process, where the command line is read and answered as in one of its own, and sooner. */
const ampere = (...args: string[]): Promise<Ended> => run([...args, '--data', folder])
const asPeopleDo = (...args: string[]): Promise<Ended> => runProcess([...args, '--data', folder])

describe('the command line over the demo', () => {
  let started: Ended
  beforeAll(async () => {
    started = await asPeopleDo('start', '--demo', '--no-witness', '--once', '--json', '--port', testPort(4))
  }, 60_000)

  it('sets everything up, and says what happened as one JSON object', () => {
    expect(started.code).toBe(0)
    const { ok, institutions, findings } = JSON.parse(started.out) as {
      ok: boolean
      institutions: string[]
      findings: { rule: string; severity: string }[]
    }
    expect({ ok, institutions }).toEqual({ ok: true, institutions: ['hospital-a', 'hospital-b', 'clinic-c'] })
    expect(findings.map(({ rule, severity }) => `${rule} ${severity}`)).toEqual([
      'R25 safety',
      'R80 safety',
      'R81 error',
      'R12 info',
    ])
  })

  it('does not do it again on the next start', async () => {
    const again = await ampere('start', '--demo', '--no-witness', '--once', '--json')
    expect(JSON.parse(again.out)).toEqual(JSON.parse(started.out))
  }, 30_000)

  it('verifies all, exports, and verifies the file without the home', async () => {
    expect(await ampere('verify', '--all', '--json')).toMatchObject({ code: 0 })
    const { record } = JSON.parse(started.out) as { record: string }
    const file = join(folder, 'record.ampere')
    expect(await ampere('chain', 'export', record.slice(0, 8), file)).toMatchObject({ code: 0 })
    const verified = await ampere('verify', file, '--json')
    expect({ code: verified.code, ...(JSON.parse(verified.out) as object) }).toMatchObject({
      code: 0,
      ok: true,
      erased: 1,
      log: { logged: 12, witnessed: 0, promised: 0, overdue: 0, suspect: 0, late: 0 },
      receipts: 12,
      problems: [],
    })
    const unpinned = freshFolder()
    const unjudged = await run(['verify', file, '--data', unpinned])
    expect(unjudged.out).toContain('receipts not judged')
    expect(unjudged.out).toContain('12 receipts of the log of http://127.0.0.1:17404 (--policy FILE')
    const policy = join(folder, 'my-policy.txt')
    const { log } = JSON.parse(readFileSync(join(folder, 'settings.json'), 'utf8')) as { log: string[] }
    writeFileSync(policy, `${log.map((key) => `log ${key}\n`).join('')}quorum none\n`)
    const judged = await run(['verify', file, '--policy', policy, '--data', unpinned])
    expect([judged.code, judged.out]).toEqual([0, expect.stringContaining('12 logged and not witnessed')])
    writeFileSync(policy, 'junk\n')
    expect(await run(['verify', file, '--policy', policy])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--policy: line 1'),
    })
  }, 30_000)

  it('has no plaintext in the data folder of the home: no name, code or identifier, raw, decoded or inflated', () => {
    const words = [
      'Purdy',
      'Janine',
      '91936005',
      'Amoxicillin',
      '999-89-8890',
      'AllergyIntolerance',
      '7461384e-130e-4fb8-a4ba-c0c80fee3f7a',
      '29463-7',
      'penicillin',
      'mental-health',
    ]
    const home = join(folder, 'home')
    const files = readdirSync(home, { recursive: true, encoding: 'utf8' })
      .map((name) => join(home, name))
      .filter((name) => statSync(name).isFile())
    expect(files.length).toBeGreaterThan(1)
    const found = files.flatMap((file) => {
      const bytes = readFileSync(file)
      const texts = [bytes.toString('latin1'), ...decodings(bytes)]
      return words
        .filter((word) => texts.some((text) => text.includes(word)))
        .map((word) => `${file}: ${word}`)
    })
    expect(found).toEqual([])
    // The search would find them: the message that was sent has every one of them.
    const sent =
      readFileSync(new URL('hospital-b.json', DEMO), 'latin1') +
      readFileSync(new URL('hospital-a.json', DEMO), 'latin1')
    expect(words.filter((word) => !sent.includes(word) && word !== 'mental-health')).toEqual([])
  })

  it('finds every kind of tampering, names block and rule, and exits with 3', async () => {
    const database = join(folder, 'home', 'ampere.db')
    copyFileSync(database, `${database}.kept`)
    for (const [what, rule] of [
      ['key-row', 'keys-root'],
      ['block', ''],
    ] as const) {
      const tampered = await ampere('demo', 'tamper', '--what', what, '--json')
      const { height } = JSON.parse(tampered.out) as { height: number }
      const found = await asPeopleDo('verify', '--all', '--json')
      expect(found.code).toBe(3)
      const { problems } = JSON.parse(found.out) as {
        problems: { height: number | null; rule: string; status: string }[]
      }
      expect(
        problems.some(
          (problem) =>
            problem.status === 'tampered' && (problem.height === height || problem.height === null),
        ),
      ).toBe(true)
      expect(problems.map((problem) => problem.rule).join()).toContain(rule)
      copyFileSync(`${database}.kept`, database)
    }
    const inLog = await ampere('demo', 'tamper', '--what', 'log', '--json')
    const { where } = JSON.parse(inLog.out) as { where: string }
    const seen = await asPeopleDo('verify', '--all', '--json')
    const { served } = JSON.parse(seen.out) as { served: { findings: { where: string; rule: string }[] } }
    expect({ code: seen.code, findings: served.findings }).toMatchObject({
      code: 3,
      findings: [{ rule: 'bundle', status: 'tampered', where }],
    })
    expect(await asPeopleDo('audit', '--stores', '--repair')).toMatchObject({ code: 0 })
    expect(await ampere('verify', '--all')).toMatchObject({ code: 0 })
  }, 60_000)

  it('calls nothing as it was signed that it did not look at, and ends with 3 where the log stands still', async () => {
    const damaged = copyOf(folder)
    const platform = openLocal({ folder: join(damaged, 'home'), passphrase: null })
    const table = platform.table('checkpoints')
    const row = await table.get('log', 'tree')
    await table.swap('log', 'tree', row?.version ?? null, utf8('{}'))
    await platform.close()
    const all = await run(['verify', '--all', '--data', damaged])
    expect([all.code, all.out]).toEqual([0, expect.stringContaining('and its log as it is served.\n')])
    expect(all.out).toContain(
      'Not checked: records that only hospital-b or clinic-c knows (--as ID); the rows',
    )
    expect(all.out).not.toContain('Everything')
    const once = await run(['start', '--demo', '--no-witness', '--once', '--data', damaged])
    expect([once.code, once.err]).toEqual([3, expect.stringContaining('THE LOG STANDS STILL')])
    expect(once.out).toContain('the record is as it was signed')
    expect(once.out).toContain('The log does not go on')
  }, 30_000)

  it('says at once when what it exports does not verify, or lacks receipts', async () => {
    const { record } = JSON.parse(started.out) as { record: string }
    const exported = async (from: string) => {
      const file = join(from, 'handed-on.ampere')
      const { code, out } = await run(['chain', 'export', record, file, '--data', from, '--json'])
      return { code, file, ...(JSON.parse(out) as object) }
    }
    const whole = copyOf(folder)
    expect(await exported(whole)).toMatchObject({ code: 0, ok: true, receipts: 12, problems: [] })
    const unlogged = copyOf(folder)
    const platform = openLocal({ folder: join(unlogged, 'home'), passphrase: null })
    const leaves = platform.table('leaves')
    for (const { key, version } of await leaves.range(record)) await leaves.swap(record, key, version, null)
    await platform.close()
    expect(await exported(unlogged)).toMatchObject({ code: 0, ok: true, receipts: 0 })
    const again = join(unlogged, 'again.ampere')
    const { out } = await run(['chain', 'export', record, again, '--data', unlogged])
    expect(out).toContain('No receipt is in it: the log does not bear out 12 of its blocks.')
    const damaged = copyOf(folder)
    await run(['demo', 'tamper', '--data', damaged])
    const bad = await exported(damaged)
    expect(bad).toMatchObject({ code: 3, ok: false, problems: [{ rule: 'keys-root', status: 'tampered' }] })
    expect(await run(['verify', bad.file, '--data', damaged])).toMatchObject({ code: 3 })
  }, 30_000)

  it('says what is wrong in one line, with a code and what to do next', async () => {
    const missing = await ampere('verify', join(folder, 'nothing.ampere'))
    expect(missing.code).toBe(1)
    const unknown = await ampere('chain', 'show', 'zzzz')
    expect({ code: unknown.code, err: unknown.err }).toMatchObject({
      code: 1,
      err: expect.stringContaining('NOT_FOUND'),
    })
    expect((await ampere('grnt')).code).toBe(2)
    expect((await ampere('import', fileURLToPath(new URL('SOURCES.md', DEMO)))).err).toContain(
      'JSON_MALFORMED',
    )
  }, 30_000)
})

/** What a curious reader of the files would try: base64 runs decoded, and anything that inflates. */
function decodings(bytes: Buffer): string[] {
  const text = bytes.toString('latin1')
  const runs = text.match(/[A-Za-z0-9_-]{40,}/g) ?? []
  const decoded = runs.map((part) => Buffer.from(part, 'base64url'))
  return [...decoded.map((part) => part.toString('latin1')), ...decoded.flatMap(inflated), ...inflated(bytes)]
}

function inflated(bytes: Buffer): string[] {
  try {
    return [inflateRawSync(bytes).toString('latin1')]
  } catch {
    return []
  }
}
