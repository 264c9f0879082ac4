// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshFolder } from '../harness.ts'
import { lines, told } from '../told.ts'
import { blocksOf, type ToldDemo } from './told-demo.ts'

/** What is shown of records, and exported. */
export function showsChains(at: ToldDemo): void {
  describe('chain', () => {
    it('lists the records that an institution knows, and says when it knows none', async () => {
      expect(await told(at.folder, 'chain', 'list')).toMatchObject({
        exit: 0,
        ok: true,
        items: [{ chain: at.record, blocks: 12, hold: false, rotationDue: [], erasuresPending: 0 }],
      })
      const { code, out } = await lines(at.folder, 'chain', 'list', '--as', 'clinic-c')
      expect({ code, out }).toEqual({
        code: 0,
        out: `clinic-c knows no record yet. Next: npx ampere import --data ${at.folder} FILE\n`,
      })
    })

    it('shows each block with its type, author and status word, and no contents', async () => {
      const blocks = await blocksOf(at, at.folder)
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
      const { out } = await lines(at.folder, 'chain', 'show', at.short)
      expect(out).toMatch(/ 8 {2}record .* erased 1 of 2 /)
      expect(out).not.toMatch(/Purdy|penicillin|general/)
    })

    it('shows one block with its entries and what is stored against what was signed', async () => {
      const shown = await told(at.folder, 'chain', 'show', at.short, '--block', '8')
      const compared = shown['compared'] as { signed: string; stored: string }[]
      expect(compared).toHaveLength(2)
      for (const { signed, stored } of compared) expect(stored).toBe(signed)
      const entries = shown['entries'] as { status: string; compartment: string }[]
      expect(entries.filter(({ status }) => status === 'erased')).toHaveLength(1)
      expect(entries.some(({ compartment }) => compartment === 'general')).toBe(true)
      expect((await lines(at.folder, 'chain', 'show', at.short, '--block', '99')).code).toBe(2)
    })

    it('is named by its first characters, four or more, near misses are suggested', async () => {
      expect(await lines(at.folder, 'grant', 'abc', 'clinic-c')).toMatchObject({
        code: 2,
        err: expect.stringContaining('at least 4 characters'),
      })
      const slip = `${at.short.slice(0, 4)}${at.short[5] ?? ''}${at.short[4] ?? ''}${at.short.slice(6)}`
      const { code, err } = await lines(at.folder, 'chain', 'show', slip === at.short ? 'zzzzzzzz' : slip)
      expect(code).toBe(1)
      expect(err).toContain('NOT_FOUND')
      expect(err).toContain('Next: npx ampere chain list')
    })

    it('exports a record that verifies without the home, and overwrites nothing', async () => {
      const file = join(freshFolder(), '..', 'record.ampere')
      expect(await told(at.folder, 'chain', 'export', at.short, file)).toMatchObject({
        exit: 0,
        ok: true,
        chain: at.record,
      })
      expect((await told(at.folder, 'chain', 'export', at.short, file))['code']).toBe('ALREADY_EXISTS')
      const nowhere = freshFolder()
      const verified = await told(nowhere, 'verify', file)
      expect(verified).toMatchObject({
        exit: 0,
        ok: true,
        pinned: false,
        blocks: 12,
        erased: 1,
        problems: [],
      })
      expect(await told(at.folder, 'verify', file)).toMatchObject({ exit: 0, pinned: true })
      const other = 'A'.repeat(43)
      const problems = (await told(nowhere, 'verify', file, '--registry', other))['problems']
      expect(problems).toMatchObject([{ rule: 'registry' }])
      expect(await told(nowhere, 'verify', file, '--registry', at.record.slice(0, 8))).toMatchObject({
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
}
