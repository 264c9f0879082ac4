// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { copyOf } from '../harness.ts'
import { lines, told } from '../told.ts'
import { blocksOf, type ToldDemo } from './told-demo.ts'

const STOLEN = 'hospital-b-2'

/** What follows where an app instance was stolen: new keys, and what is to be said of it. */
export function followsRotation(at: ToldDemo): void {
  describe('a stolen app instance', () => {
    const stolen = async () => {
      const folder = copyOf(at.folder)
      const why = ['--reason', 'compromised', '--suspect-from', '2020-01-01', '--confirm', STOLEN]
      const revoked = await told(folder, 'instance', 'revoke', STOLEN, '--as', 'hospital-b', ...why)
      return { folder, revoked }
    }

    it('makes new keys due, which are shown until rotation run has given them', async () => {
      const before = await told(copyOf(at.folder), 'rotation', 'status')
      expect(before).toMatchObject({ exit: 0, ok: true, state: 'never-ran', round: null, due: [], open: [] })
      const { folder, revoked } = await stolen()
      expect(revoked['follows']).toContainEqual(
        'New keys are due for 1 record that others control: they give them.',
      )
      const due = [{ institution: 'hospital-b', reason: 'revoked' }]
      expect((await told(folder, 'chain', 'list'))['items']).toMatchObject([{ rotationDue: due }])
      expect(await told(folder, 'chain', 'show', at.short)).toMatchObject({ rotationDue: due })
      expect(await told(folder, 'rotation', 'status')).toMatchObject({
        exit: 1,
        due: [{ chain: at.record, readers: ['hospital-b'] }],
        estimate: { due: 1, blocks: 1, atLeastSeconds: 0, msPerChain: null },
      })
      expect(await told(folder, 'rotation', 'run', '--dry-run')).toMatchObject({ exit: 0, rotated: 0 })
      expect(await blocksOf(at, folder)).toHaveLength(12)
      const run = await told(folder, 'rotation', 'run', '--per-minute', '30')
      expect(run).toMatchObject({ exit: 0, state: 'done', rotated: 1, open: [] })
      expect((await blocksOf(at, folder)).at(-1)?.does).toContain('new keys')
      expect(await told(folder, 'rotation', 'status')).toMatchObject({
        exit: 0,
        state: 'done',
        perMinute: 30,
        due: [],
      })
      expect(await told(folder, 'rotation', 'run')).toMatchObject({ exit: 0, rotated: 0 })
      expect(await blocksOf(at, folder)).toHaveLength(13)
    }, 60_000)

    it('waits while the rotation is paused, as doctor says', async () => {
      const { folder } = await stolen()
      expect(await told(folder, 'rotation', 'pause')).toMatchObject({ exit: 0, state: 'paused' })
      expect(await told(folder, 'rotation', 'status', '--no-look')).toMatchObject({
        state: 'paused',
        estimate: null,
      })
      expect((await lines(folder, 'doctor')).out).toContain('hospital-a: paused')
      await told(folder, 'rotation', 'run')
      expect((await lines(folder, 'doctor')).out).toContain('1 chain given new keys in the last round')
    }, 60_000)

    it('is reported on, in a file that only its owner reads and that is not written over', async () => {
      const { folder } = await stolen()
      const file = join(folder, 'report.json')
      const ask = ['incident', 'report', '--institution', 'hospital-b', '--out', file]
      const said = await told(folder, ...ask)
      expect(said).toMatchObject({ exit: 0, file })
      const report = JSON.parse(readFileSync(file, 'utf8')) as {
        records: { record: { chain: string; written: unknown[]; couldOpen: unknown[] } }[]
      }
      expect(said['report']).toEqual(report)
      expect(report.records).toHaveLength(1)
      expect(report.records[0]?.record.chain).toBe(at.record)
      expect(report.records[0]?.record.written.length).toBeGreaterThan(0)
      expect(report.records[0]?.record.couldOpen.length).toBeGreaterThan(0)
      if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600)
      expect(await told(folder, ...ask)).toMatchObject({ exit: 1, code: 'ALREADY_EXISTS' })
      const text = await lines(folder, 'incident', 'report', '--instance', STOLEN)
      expect(text.out).toContain('revoked (compromised')
      expect(text.out).toContain('Not known:')
      expect((await lines(folder, 'incident', 'report')).code).toBe(2)
      expect(await told(folder, 'incident', 'report', '--kid', 'zzzzzz')).toMatchObject({ code: 'NOT_FOUND' })
      const window = ['--from', '2026-01-02', '--to', '2026-01-01']
      expect((await lines(folder, 'incident', 'report', '--instance', STOLEN, ...window)).code).toBe(2)
    }, 60_000)
  })
}
