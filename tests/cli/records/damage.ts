// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLocal } from '#adapters/local/open.ts'
import { copyOf } from '../harness.ts'
import { lines, told } from '../told.ts'
import { serverAudits } from './looks.ts'
import type { ToldDemo } from './told-demo.ts'

/** What is not what it was, or not what it should be. */
export function saysWhatIsDamaged(at: ToldDemo): void {
  describe('audit of the log', () => {
    it('names what is damaged, exits with 3, and puts right what signed data decides', async () => {
      const folder = copyOf(at.folder)
      const before = await told(folder, 'audit', '--stores')
      expect(before).toMatchObject({ exit: 0, repaired: null, log: { from: 0, findings: [], unlisted: 0 } })
      const { size } = before['log'] as { size: number }
      await serverAudits(folder)
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
      expect(out).toMatch(/Do: stop the server, then npx ampere audit .*--repair/)
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
      const folder = copyOf(at.folder)
      const file = fileURLToPath(
        new URL('../../samples/bulk-ndjson/AllergyIntolerance.000.ndjson', import.meta.url),
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
        expect(listed.out).toContain(at.short)
      }
      expect(out).toContain('records that only hospital-a or clinic-c knows (--as ID)')
      expect((await lines(folder, 'import', file, '--as', 'hospital-a')).out).toMatch(/ as hospital-a/)
    }, 30_000)

    it('is said of an export that was cut short, and not of a file that is none', async () => {
      const folder = copyOf(at.folder)
      const file = join(folder, 'record.ampere')
      await lines(folder, 'chain', 'export', at.short, file)
      const whole = readFileSync(file)
      for (const length of [20_000, whole.lastIndexOf(10, -2) + 1]) {
        writeFileSync(file, whole.subarray(0, length))
        const { code, out } = await lines(folder, 'verify', file)
        expect([code, out]).toEqual([3, expect.stringContaining('rule export-form')])
      }
      for (const other of ['hello\n', '{}', '', new Uint8Array([255, 0, 1])]) {
        writeFileSync(file, other)
        const { code, err } = await lines(folder, 'verify', file)
        expect([code, err]).toEqual([1, expect.stringContaining('not an export')])
        expect(err).toContain('Next: name a file that chain export wrote')
      }
      writeFileSync(file, whole)
      const other = await lines(folder, 'verify', file, '--registry', 'A'.repeat(43))
      expect([other.code, other.out]).toEqual([3, expect.stringContaining('is verified with --registry ID')])
      expect(other.out).toContain('Not verified: the file is of another registry')
    })
  })

  describe('a policy for witnesses', () => {
    it('that does not have the log of the home, or is none, keeps it from starting, and doctor says so', async () => {
      const folder = copyOf(at.folder)
      expect((await lines(folder, 'doctor')).out).not.toContain('Policy')
      for (const text of ['quorum none\n', 'junk\n']) {
        writeFileSync(join(folder, 'policy.txt'), text)
        const started = await lines(folder, 'start', '--once', '--no-witness')
        expect([started.code, started.err]).toEqual([1, expect.stringContaining('policy.txt')])
        expect((await lines(folder, 'doctor')).out).toMatch(/Policy[^\n]*policy\.txt/)
      }
    })
  })
}
