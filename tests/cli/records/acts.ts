// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { copyOf, run, testTerminal } from '../harness.ts'
import { lines, told } from '../told.ts'
import { daysLater } from '../another-time.ts'
import { blocksOf, DAY_MS, type ToldDemo } from './told-demo.ts'

/** What is done to a record: grants, and erasing. */
export function actsOnRecords(at: ToldDemo): void {
  describe('grants', () => {
    it('are given once, changed, taken away, and followed by new keys', async () => {
      const folder = copyOf(at.folder)
      const grant = ['grant', at.short, 'clinic-c', '--compartments', 'general', '--until', '2030-01-01']
      expect(await told(folder, ...grant)).toMatchObject({
        exit: 0,
        block: 12,
        rights: ['read'],
        compartments: ['general'],
      })
      expect(await told(folder, ...grant)).toMatchObject({ exit: 0, block: null })
      expect(await told(folder, 'grant', at.short, 'clinic-c', '--append')).toMatchObject({
        block: 13,
        until: null,
      })
      expect((await blocksOf(at, folder)).slice(12).map(({ does }) => does)).toEqual([
        expect.stringMatching(/^grants clinic-c read in 1 compartment until 01-Jan-2030 /),
        expect.stringMatching(/^grants clinic-c append and read in 8 compartments(?:, new keys)?$/),
      ])
      const link = ['pair', 'link', at.record, '--patient', 'c1', '--as', 'clinic-c']
      expect(await told(folder, ...link)).toMatchObject({ exit: 0, chain: at.record })
      expect(await told(folder, ...link)).toMatchObject({ exit: 0, chain: at.record })
      expect((await told(folder, 'chain', 'list', '--as', 'clinic-c'))['items']).toHaveLength(1)
      expect(await told(folder, 'revoke', at.short, 'clinic-c')).toMatchObject({ exit: 0, block: 14 })
      expect(await told(folder, 'revoke', at.short, 'clinic-c')).toMatchObject({ exit: 1, code: 'NOT_FOUND' })
      expect(await told(folder, 'rotate', at.short)).toMatchObject({ exit: 0, block: 15, dropped: [] })
      expect((await lines(folder, 'chain', 'list')).out).toContain('epoch 4')
    }, 30_000)

    it('of holding and of reading leave each other as they stand, unless they have ended', async () => {
      const folder = copyOf(at.folder)
      const tomorrow = new Date(Date.now() + DAY_MS).toISOString()
      const grant = (...more: string[]) => told(folder, 'grant', at.short, 'clinic-c', ...more)
      await grant('--append', '--compartments', 'general', '--until', tomorrow)
      expect(await grant('--hold')).toMatchObject({ rights: ['append', 'hold', 'read'], until: tomorrow })
      expect((await blocksOf(at, folder)).at(-1)?.does).toContain(
        'append, hold and read in 1 compartment until',
      )
      expect(await grant()).toMatchObject({ rights: ['hold', 'read'], until: null })
      await grant('--until', tomorrow)
      await daysLater(2, async () => {
        expect(await grant('--hold')).toMatchObject({ rights: ['hold'], until: null })
      })
    }, 30_000)

    it('that have ended make rotation due, which drops them', async () => {
      const folder = copyOf(at.folder)
      const tomorrow = new Date(Date.now() + DAY_MS).toISOString()
      expect((await lines(folder, 'grant', at.short, 'clinic-c', '--until', '2020-01-01')).code).toBe(2)
      await told(folder, 'grant', at.short, 'clinic-c', '--until', tomorrow)
      expect((await lines(folder, 'chain', 'list')).out).not.toContain('rotation due')
      await daysLater(2, async () => {
        expect((await lines(folder, 'chain', 'list')).out).toContain('rotation due: clinic-c expired')
        expect(await told(folder, 'rotate', at.short)).toMatchObject({ dropped: ['clinic-c'] })
        expect((await lines(folder, 'chain', 'list')).out).not.toContain('rotation due')
      })
    }, 30_000)

    it('wait for the clock to stand where the home once signed with a time of the future, and say why', async () => {
      const folder = copyOf(at.folder)
      await daysLater(365, async () => {
        await told(folder, 'grant', at.short, 'clinic-c', '--append')
      })
      await daysLater(0, async (pass) => {
        const terminal = testTerminal({ waits: pass })
        const list = await run(['chain', 'show', at.short, '--data', folder], terminal)
        expect(list).toMatchObject({
          code: 0,
          err: expect.stringMatching(/Waiting 30 s .* s before what was signed/),
        })
        expect(terminal.said.waits.length).toBeGreaterThan(25)
      })
    }, 30_000)

    it('name institutions and compartments that exist', async () => {
      const { code, err } = await lines(at.folder, 'grant', at.short, 'clinc-c')
      expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('Did you mean clinic-c?') })
      const compartment = await lines(at.folder, 'grant', at.short, 'clinic-c', '--compartments', 'generl')
      expect(compartment.err).toContain('Did you mean general?')
      const institution = await lines(at.folder, 'revoke', at.short, 'clinic-c', '--as', 'hospitl-a')
      expect(institution).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean hospital-a?') })
    })
  })

  describe('erasing', () => {
    it('asks for the name, does nothing on --dry-run, waits 72 hours, can be cancelled, and not while on hold', async () => {
      const folder = copyOf(at.folder)
      const shown = await told(folder, 'chain', 'show', at.short, '--block', '4')
      const id = (shown['entries'] as { id: string }[])[0]?.id ?? ''
      const erase = ['erase', at.short, '--entries', id.slice(0, 8), '--ground', 'misfiled']
      expect((await lines(folder, ...erase)).err).toContain(`--confirm ${at.short} is missing`)
      expect(await told(folder, ...erase, '--confirm', 'zzzz')).toMatchObject({ exit: 2 })
      expect(await told(folder, ...erase, '--dry-run')).toMatchObject({
        exit: 0,
        dryRun: true,
        entries: [id],
        block: null,
      })
      expect(await blocksOf(at, folder)).toHaveLength(12)
      expect(await told(folder, 'hold', at.short)).toMatchObject({ exit: 0, hold: true, block: 12 })
      expect(await told(folder, ...erase, '--confirm', at.short.slice(0, 4))).toMatchObject({
        exit: 1,
        next: expect.stringContaining('npx ampere hold'),
      })
      expect(await told(folder, 'hold', at.short, '--off')).toMatchObject({ exit: 0, hold: false, block: 13 })
      expect(await told(folder, 'hold', at.short, '--off')).toMatchObject({ exit: 0, block: null })
      const typed = testTerminal({ isTTY: true, types: ['demo', at.short] })
      const requested = await run([...erase, '--data', folder], typed)
      expect(requested.out).toMatch(/^Requested in block 14\. Until .*: npx ampere erase .* --cancel 14\n/)
      expect(await told(folder, ...erase, '--ground', 'legal-duty', '--confirm', at.short)).toMatchObject({
        exit: 1,
        code: 'ALREADY_EXISTS',
        next: expect.stringContaining('--cancel 14'),
      })
      expect(await blocksOf(at, folder)).toHaveLength(15)
      expect(await told(folder, 'erase', at.short, '--complete', '14', '--confirm', at.short)).toMatchObject({
        exit: 1,
        code: 'PRECONDITION_FAILED',
      })
      expect(await told(folder, 'erase', at.short, '--cancel', '14')).toMatchObject({
        exit: 0,
        act: 'cancel',
        block: 15,
      })
      expect(await told(folder, 'erase', at.short, '--cancel', '14')).toMatchObject({ exit: 1 })
    }, 30_000)

    it('takes effect when it is completed, three days later, and then the entry is erased for good', async () => {
      const folder = copyOf(at.folder)
      const shown = await told(folder, 'chain', 'show', at.short, '--block', '8')
      const id =
        (shown['entries'] as { id: string; status: string }[]).find(({ status }) => status === 'logged')
          ?.id ?? ''
      await told(folder, 'erase', at.short, '--entries', id, '--confirm', at.short)
      expect((await blocksOf(at, folder))[8]).toMatchObject({ entries: { logged: 1, erased: 1 } })
      await daysLater(3.1, async () => {
        expect(
          await told(folder, 'erase', at.short, '--complete', '12', '--confirm', at.short),
        ).toMatchObject({
          exit: 0,
          act: 'complete',
          block: 13,
        })
        expect((await blocksOf(at, folder))[8]).toMatchObject({ status: 'erasing' })
        await told(folder, 'findings', '--as', 'hospital-b')
        expect((await blocksOf(at, folder))[8]).toMatchObject({ status: 'erased', entries: { erased: 2 } })
        expect(await told(folder, 'verify', '--all')).toMatchObject({ exit: 0, erased: 2 })
      })
    }, 30_000)

    it('wants to know exactly what', async () => {
      expect((await lines(at.folder, 'erase', at.short)).code).toBe(2)
      expect((await lines(at.folder, 'erase', at.short, '--record', '--cancel', '3')).code).toBe(2)
      expect(await told(at.folder, 'erase', at.short, '--entries', 'zzzzzz')).toMatchObject({
        exit: 1,
        code: 'NOT_FOUND',
      })
    })
  })

  describe('a day that no calendar has', () => {
    it('is refused before anything is signed', async () => {
      const grant = ['grant', at.short, 'clinic-c', '--compartments', 'general', '--until']
      const { code, err } = await lines(copyOf(at.folder), ...grant, '2027-02-31')
      expect([code, err]).toEqual([2, expect.stringContaining('a day (2026-11-23)')])
    })
  })
}
