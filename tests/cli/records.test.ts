// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it, jest } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyOf, freshFolder, jsonOf, run, testPort, testTerminal } from './harness.ts'
import { lines, told } from './told.ts'

/** A told demo that no test changes: those that do, copy it. */
const demo = freshFolder()
let record = ''
let short = ''

interface Block {
  readonly height: number
  readonly type: string
  readonly status: string
  readonly entries: Record<string, number>
  readonly does: string
  readonly author: string
}

const DAY_MS = 86_400_000

/** Acts as if it were some days later. */
async function later(days: number, act: () => Promise<void>): Promise<void> {
  const real = Date.now
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => real.call(Date) + days * DAY_MS)
  try {
    await act()
  } finally {
    clock.mockRestore()
  }
}
const blocksOf = async (folder: string) => (await told(folder, 'chain', 'show', short))['items'] as Block[]

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
    testPort(1),
  ])
  record = String(jsonOf(started)['record'])
  short = record.slice(0, 8)
}, 60_000)

describe('chain', () => {
  it('lists the records that an institution knows, and says when it knows none', async () => {
    expect(await told(demo, 'chain', 'list')).toMatchObject({
      exit: 0,
      ok: true,
      items: [{ chain: record, blocks: 12, hold: false, rotationDue: [], erasuresPending: 0 }],
    })
    const { code, out } = await lines(demo, 'chain', 'list', '--as', 'clinic-c')
    expect({ code, out }).toEqual({
      code: 0,
      out: `clinic-c knows no record yet. Next: npx ampere import --data ${demo} FILE\n`,
    })
  })

  it('shows each block with its type, author and status word, and no contents', async () => {
    const blocks = await blocksOf(demo)
    expect(blocks.map(({ type }) => type).join(' ')).toBe(
      'genesis control record control record record control control record control erase erase',
    )
    expect(blocks[8]).toMatchObject({
      status: 'erased',
      entries: { logged: 1, erased: 1 },
      author: 'hospital-a-1',
    })
    expect(blocks[4]).toMatchObject({ status: 'logged', author: 'hospital-b-1' })
    expect(blocks[10]).toMatchObject({
      author: 'device',
      does: expect.stringContaining('erasure of 1 entry requested'),
    })
    const { out } = await lines(demo, 'chain', 'show', short)
    expect(out).toMatch(/ 8 {2}record .* erased 1 of 2 /)
    expect(out).not.toMatch(/Purdy|penicillin|general/)
  })

  it('shows one block with its entries and what is stored against what was signed', async () => {
    const shown = await told(demo, 'chain', 'show', short, '--block', '8')
    const compared = shown['compared'] as { signed: string; stored: string }[]
    expect(compared).toHaveLength(2)
    for (const { signed, stored } of compared) expect(stored).toBe(signed)
    const entries = shown['entries'] as { status: string; compartment: string }[]
    expect(entries.filter(({ status }) => status === 'erased')).toHaveLength(1)
    expect(entries.some(({ compartment }) => compartment === 'general')).toBe(true)
    expect((await lines(demo, 'chain', 'show', short, '--block', '99')).code).toBe(2)
  })

  it('is named by its first characters, four or more, near misses are suggested', async () => {
    expect(await lines(demo, 'grant', 'abc', 'clinic-c')).toMatchObject({
      code: 2,
      err: expect.stringContaining('at least 4 characters'),
    })
    const slip = `${short.slice(0, 4)}${short[5] ?? ''}${short[4] ?? ''}${short.slice(6)}`
    const { code, err } = await lines(demo, 'chain', 'show', slip === short ? 'zzzzzzzz' : slip)
    expect(code).toBe(1)
    expect(err).toContain('NOT_FOUND')
    expect(err).toContain('Next: npx ampere chain list')
  })

  it('exports a record that verifies without the home, and overwrites nothing', async () => {
    const file = join(freshFolder(), '..', 'record.ampere')
    expect(await told(demo, 'chain', 'export', short, file)).toMatchObject({
      exit: 0,
      ok: true,
      chain: record,
    })
    expect((await told(demo, 'chain', 'export', short, file))['code']).toBe('ALREADY_EXISTS')
    const nowhere = freshFolder()
    const verified = await told(nowhere, 'verify', file)
    expect(verified).toMatchObject({ exit: 0, ok: true, pinned: false, blocks: 12, erased: 1, problems: [] })
    expect(await told(demo, 'verify', file)).toMatchObject({ exit: 0, pinned: true })
    const other = 'A'.repeat(43)
    const problems = (await told(nowhere, 'verify', file, '--registry', other))['problems']
    expect(problems).toMatchObject([{ rule: 'registry' }])
    expect(await told(nowhere, 'verify', file, '--registry', record.slice(0, 8))).toMatchObject({
      exit: 2,
      message: expect.stringContaining('--registry'),
    })
    writeFileSync(file, readFileSync(file, 'utf8').replace(/("row":".{300})./, '$1~'))
    expect(await told(nowhere, 'verify', file)).toMatchObject({
      exit: 3,
      ok: false,
      problems: [{ rule: 'keys-root' }],
    })
    expect((await lines(nowhere, 'verify', file)).out).toMatch(
      /FAILED block 2: tampered\. .* \(rule keys-root\)\./,
    )
  })
})

describe('grants', () => {
  it('are given once, changed, taken away, and followed by new keys', async () => {
    const folder = copyOf(demo)
    const grant = ['grant', short, 'clinic-c', '--compartments', 'general', '--until', '2030-01-01']
    expect(await told(folder, ...grant)).toMatchObject({
      exit: 0,
      block: 12,
      rights: ['read'],
      compartments: ['general'],
    })
    expect(await told(folder, ...grant)).toMatchObject({ exit: 0, block: null })
    expect(await told(folder, 'grant', short, 'clinic-c', '--append')).toMatchObject({
      block: 13,
      until: null,
    })
    expect((await blocksOf(folder)).slice(12).map(({ does }) => does)).toEqual([
      expect.stringMatching(/^grants clinic-c read in 1 compartment until 01-Jan-2030 /),
      expect.stringMatching(/^grants clinic-c append and read in 8 compartments(?:, new keys)?$/),
    ])
    const link = ['pair', 'link', record, '--patient', 'c1', '--as', 'clinic-c']
    expect(await told(folder, ...link)).toMatchObject({ exit: 0, chain: record })
    expect(await told(folder, ...link)).toMatchObject({ exit: 0, chain: record })
    expect((await told(folder, 'chain', 'list', '--as', 'clinic-c'))['items']).toHaveLength(1)
    expect(await told(folder, 'revoke', short, 'clinic-c')).toMatchObject({ exit: 0, block: 14 })
    expect(await told(folder, 'revoke', short, 'clinic-c')).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
    expect(await told(folder, 'rotate', short)).toMatchObject({ exit: 0, block: 15, dropped: [] })
    expect((await lines(folder, 'chain', 'list')).out).toContain('epoch 4')
  }, 30_000)

  it('of holding and of reading leave each other as they stand, unless they have ended', async () => {
    const folder = copyOf(demo)
    const tomorrow = new Date(Date.now() + DAY_MS).toISOString()
    const grant = (...more: string[]) => told(folder, 'grant', short, 'clinic-c', ...more)
    await grant('--append', '--compartments', 'general', '--until', tomorrow)
    expect(await grant('--hold')).toMatchObject({ rights: ['append', 'hold', 'read'], until: tomorrow })
    expect((await blocksOf(folder)).at(-1)?.does).toContain('append, hold and read in 1 compartment until')
    expect(await grant()).toMatchObject({ rights: ['hold', 'read'], until: null })
    await grant('--until', tomorrow)
    await later(2, async () => {
      expect(await grant('--hold')).toMatchObject({ rights: ['hold'], until: null })
    })
  }, 30_000)

  it('that have ended make rotation due, which drops them', async () => {
    const folder = copyOf(demo)
    const tomorrow = new Date(Date.now() + DAY_MS).toISOString()
    expect((await lines(folder, 'grant', short, 'clinic-c', '--until', '2020-01-01')).code).toBe(2)
    await told(folder, 'grant', short, 'clinic-c', '--until', tomorrow)
    expect((await lines(folder, 'chain', 'list')).out).not.toContain('rotation due')
    await later(2, async () => {
      expect((await lines(folder, 'chain', 'list')).out).toContain('rotation due: clinic-c expired')
      expect(await told(folder, 'rotate', short)).toMatchObject({ dropped: ['clinic-c'] })
      expect((await lines(folder, 'chain', 'list')).out).not.toContain('rotation due')
    })
  }, 30_000)

  it('name institutions and compartments that exist', async () => {
    const { code, err } = await lines(demo, 'grant', short, 'clinc-c')
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('Did you mean clinic-c?') })
    const compartment = await lines(demo, 'grant', short, 'clinic-c', '--compartments', 'generl')
    expect(compartment.err).toContain('Did you mean general?')
    const institution = await lines(demo, 'revoke', short, 'clinic-c', '--as', 'hospitl-a')
    expect(institution).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean hospital-a?') })
  })
})

describe('erasing', () => {
  it('asks for the name, does nothing on --dry-run, waits 72 hours, can be cancelled, and not while on hold', async () => {
    const folder = copyOf(demo)
    const shown = await told(folder, 'chain', 'show', short, '--block', '4')
    const id = (shown['entries'] as { id: string }[])[0]?.id ?? ''
    const erase = ['erase', short, '--entries', id.slice(0, 8), '--ground', 'misfiled']
    expect((await lines(folder, ...erase)).err).toContain(`--confirm ${short} is missing`)
    expect(await told(folder, ...erase, '--confirm', 'zzzz')).toMatchObject({ exit: 2 })
    expect(await told(folder, ...erase, '--dry-run')).toMatchObject({
      exit: 0,
      dryRun: true,
      entries: [id],
      block: null,
    })
    expect(await blocksOf(folder)).toHaveLength(12)
    expect(await told(folder, 'hold', short)).toMatchObject({ exit: 0, hold: true, block: 12 })
    expect(await told(folder, ...erase, '--confirm', short.slice(0, 4))).toMatchObject({
      exit: 1,
      next: expect.stringContaining('npx ampere hold'),
    })
    expect(await told(folder, 'hold', short, '--off')).toMatchObject({ exit: 0, hold: false, block: 13 })
    expect(await told(folder, 'hold', short, '--off')).toMatchObject({ exit: 0, block: null })
    const typed = testTerminal({ isTTY: true, types: ['demo', short] })
    const requested = await run([...erase, '--data', folder], typed)
    expect(requested.out).toMatch(/^Requested in block 14\. Until .*: npx ampere erase .* --cancel 14\n/)
    expect(await told(folder, ...erase, '--ground', 'legal-duty', '--confirm', short)).toMatchObject({
      exit: 1,
      code: 'ALREADY_EXISTS',
      next: expect.stringContaining('--cancel 14'),
    })
    expect(await blocksOf(folder)).toHaveLength(15)
    expect(await told(folder, 'erase', short, '--complete', '14', '--confirm', short)).toMatchObject({
      exit: 1,
      code: 'PRECONDITION_FAILED',
    })
    expect(await told(folder, 'erase', short, '--cancel', '14')).toMatchObject({
      exit: 0,
      act: 'cancel',
      block: 15,
    })
    expect(await told(folder, 'erase', short, '--cancel', '14')).toMatchObject({ exit: 1 })
  }, 30_000)

  it('takes effect when it is completed, three days later, and then the entry is erased for good', async () => {
    const folder = copyOf(demo)
    const shown = await told(folder, 'chain', 'show', short, '--block', '8')
    const id =
      (shown['entries'] as { id: string; status: string }[]).find(({ status }) => status === 'logged')?.id ??
      ''
    await told(folder, 'erase', short, '--entries', id, '--confirm', short)
    expect((await blocksOf(folder))[8]).toMatchObject({ entries: { logged: 1, erased: 1 } })
    await later(3.1, async () => {
      expect(await told(folder, 'erase', short, '--complete', '12', '--confirm', short)).toMatchObject({
        exit: 0,
        act: 'complete',
        block: 13,
      })
      expect((await blocksOf(folder))[8]).toMatchObject({ status: 'erasing' })
      await told(folder, 'findings', '--as', 'hospital-b')
      expect((await blocksOf(folder))[8]).toMatchObject({ status: 'erased', entries: { erased: 2 } })
      expect(await told(folder, 'verify', '--all')).toMatchObject({ exit: 0, erased: 2 })
    })
  }, 30_000)

  it('wants to know exactly what', async () => {
    expect((await lines(demo, 'erase', short)).code).toBe(2)
    expect((await lines(demo, 'erase', short, '--record', '--cancel', '3')).code).toBe(2)
    expect(await told(demo, 'erase', short, '--entries', 'zzzzzz')).toMatchObject({
      exit: 1,
      code: 'NOT_FOUND',
    })
  })
})
