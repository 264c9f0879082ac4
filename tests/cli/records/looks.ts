// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { openHome } from '#cli/open/home.ts'
import { concat } from '#core/bytes/frame.ts'
import type { Platform } from '#core/ports/needs.ts'
import { LOG_PARTITION, PUBLISHED_KEY, TREE_KEY } from '#core/server/store/log.ts'
import { homeLogAudit } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { copyOf, serveProcess } from '../harness.ts'
import { lines, told } from '../told.ts'
import type { ToldDemo } from './told-demo.ts'

/** Every command that tells of a home, and for which nobody has to run a server. */
const LOOKS = [
  'audit --stores',
  'audit --since-last',
  'audit',
  'verify --all',
  'doctor',
  'chain list',
  'chain show RECORD',
  'chain show RECORD --block 2',
  'rotation status',
  'rotation run --dry-run',
  'incident report --institution hospital-b',
  'evidence list',
  'witness status',
  'witness status --keys',
  'witness list',
  'monitor list',
  'monitor status',
  'mirror status',
]

/** Damage that a sequencer, or whoever publishes, would hide. */
const HOMES: Readonly<Record<string, (platform: Platform) => Promise<void>>> = {
  'that is whole': async () => {},
  'without the row of its tree': (platform) => removeRow(platform, TREE_KEY),
  'without its published checkpoint': (platform) => removeRow(platform, PUBLISHED_KEY),
  'with a lost tile, and a bundle that goes on after its end': damageLog,
}

/** Commands that only look leave every byte of the home as it is. */
export function leavesEveryByte(at: ToldDemo, commands: readonly string[] = LOOKS): void {
  describe('a command that only looks changes no byte of the stores', () => {
    it.each(Object.keys(HOMES))(
      'of a home %s',
      async (name) => {
        const folder = await damaged(at, HOMES[name] ?? (async () => {}))
        const before = bytesOf(folder)
        for (const command of commands) {
          const { err } = await lines(folder, ...command.replace('RECORD', at.short).split(' '))
          expect({ command, after: bytesOf(folder) }).toEqual({ command, after: before })
          expect(err).not.toContain('UNEXPECTED')
        }
      },
      90_000,
    )
  })
}

/** What damage is told as, by commands that mend nothing. */
export function tellsDamage(at: ToldDemo): void {
  leavesEveryByte(at, ['audit --stores', 'verify --all'])

  describe('a damaged home', () => {
    it('is said to be so each time, for nothing is mended, and no repair is advised that does nothing', async () => {
      const folder = await damaged(at, (platform) => removeRow(platform, TREE_KEY))
      for (let i = 0; i < 2; i++)
        expect(await told(folder, 'audit', '--stores')).toMatchObject({
          exit: 3,
          log: { findings: [{ rule: 'tree-row' }] },
        })
      const { out } = await lines(folder, 'audit', '--stores')
      expect(out).not.toContain('--repair')
    })

    it('whose server was killed has afterwards not logged what it had not before', async () => {
      const folder = copyOf(at.folder)
      await changed(folder, async (platform) => {
        const rows = await platform.table('leaves').range(at.record)
        for (const { key, version } of rows)
          await platform.table('leaves').swap(at.record, key, version, null)
      })
      const before = bytesOf(folder)
      expect(await told(folder, 'audit')).toMatchObject({ exit: 3 })
      expect(bytesOf(folder)).toEqual(before)
    })

    it('that is lost is not made anew', async () => {
      const folder = copyOf(at.folder)
      rmSync(join(folder, 'home', 'ampere.db'))
      for (const command of ['audit', 'verify --all', 'chain list', 'witness status']) {
        const { code, err } = await lines(folder, ...command.split(' '))
        expect([code, err]).toEqual([1, expect.stringContaining('the home of this folder is lost')])
        expect(err).toContain('Next: npx ampere mirror restore')
      }
      expect(existsSync(join(folder, 'home', 'ampere.db'))).toBe(false)
    })
  })

  describe('a home whose log is damaged', () => {
    it('is told by verify --all as a finding, with exit code 3, and a repair says what it did', async () => {
      const folder = await damaged(at, damageLog)
      const verified = await told(folder, 'verify', '--all')
      expect(verified).toMatchObject({
        exit: 3,
        ok: false,
        served: { findings: expect.arrayContaining([expect.objectContaining({ rule: 'bundle' })]) },
        problems: [{ chain: at.record, rule: 'receipt', status: 'tampered' }],
      })
      const { out } = await lines(folder, 'audit', '--stores')
      expect(out).toMatch(/Do: stop the server, then npx ampere audit [^\n]*--repair\./)
      const repaired = await told(folder, 'audit', '--stores', '--repair')
      expect(repaired).toMatchObject({ exit: 0, log: { findings: [] } })
      expect(repaired['repaired']).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ rule: 'tile' }),
          expect.objectContaining({ rule: 'bundle' }),
        ]),
      )
      expect(await told(folder, 'verify', '--all')).toMatchObject({ exit: 0 })
    }, 30_000)

    it('is not called in order by an audit of what is new, which says what it left out', async () => {
      const folder = copyOf(at.folder)
      await serverAudits(folder)
      const { size } = (await told(folder, 'audit', '--stores'))['log'] as { size: number }
      const { code, out } = await lines(folder, 'audit', '--stores', '--since-last')
      expect(code).toBe(0)
      expect(out).toContain(`but for the log before leaf ${size}, which was not audited now`)
    })
  })

  describe('a running server', () => {
    it('is verified by an institution that may not audit it as well, but for its stores', async () => {
      const folder = copyOf(at.folder)
      await lines(folder, 'instance', 'enrol', 'ward-7', '--as', 'hospital-b', '--capabilities', 'create')
      for (const id of ['hospital-b-1', 'hospital-b-2'])
        await lines(folder, 'instance', 'revoke', id, '--as', 'hospital-b', '--confirm', id)
      const server = await serveProcess(['start', '--data', folder, '--no-witness'])
      try {
        expect((await lines(folder, 'audit', '--stores', '--as', 'hospital-b')).err).toContain('FORBIDDEN')
        const { code, out } = await lines(folder, 'verify', '--all', '--as', 'hospital-b')
        expect(out).toContain('and hospital-b is none (capability control)')
        expect(out).toContain('Everything that was verified is what was signed.')
        expect(code).toBe(0)
      } finally {
        await server.stop()
      }
    }, 60_000)
  })

  describe('a home that was put back to an older copy', () => {
    it('is told by audit as well, with and without the contents, and what cannot be opened has its reason', async () => {
      const folder = copyOf(at.folder)
      const older = copyOf(folder)
      await lines(folder, 'hold', at.short)
      await lines(folder, 'verify', '--all')
      rmSync(join(folder, 'home'), { recursive: true })
      cpSync(join(older, 'home'), join(folder, 'home'), { recursive: true })
      for (const command of ['audit --stores', 'audit']) {
        const { code, out } = await lines(folder, ...command.split(' '))
        expect([command, code]).toEqual([command, 3])
        expect(out).toContain('rule rolled-back')
        expect(out).not.toContain('Everything')
      }
      const { out } = await lines(folder, 'audit')
      expect(out).toMatch(/could not be opened: rule rolled-back: height/)
      const verified = await lines(folder, 'verify', '--all')
      expect(verified.code).toBe(3)
      expect(verified.out).not.toContain('this folder pins no keys')
    }, 30_000)
  })
}

/** What a running server does every hour. */
export async function serverAudits(folder: string): Promise<void> {
  const passphrase = readFileSync(join(folder, 'passphrase'), 'utf8').trim()
  const settings = readSettings(folder)
  if (!settings) throw new Error('the demo has settings')
  const { platform, home, logTrust } = await openHome(folder, settings, passphrase, silentLog)
  const hosting = { now: () => Date.now(), random: platform.random, log: silentLog }
  expect(await (await homeLogAudit(platform, home, logTrust, hosting))()).toBe(0)
  await platform.close()
}

/** A copy of the demo of which the stores were changed. */
async function damaged(at: ToldDemo, act: (platform: Platform) => Promise<void>): Promise<string> {
  const folder = copyOf(at.folder)
  await changed(folder, act)
  return folder
}

async function changed(folder: string, act: (platform: Platform) => Promise<void>): Promise<void> {
  const platform = openLocal({ folder: join(folder, 'home'), passphrase: null })
  await act(platform)
  await platform.close()
}

async function removeRow(platform: Platform, key: string): Promise<void> {
  const checkpoints = platform.table('checkpoints')
  const row = await checkpoints.get(LOG_PARTITION, key)
  if (!row) throw new Error(`there is no row ${key}`)
  await checkpoints.swap(LOG_PARTITION, key, row.version, null)
}

/** What the newest tree has: the partial tile is lost, the partial bundle goes on. */
async function damageLog(platform: Platform): Promise<void> {
  const size = await sizeOf(platform)
  const log = platform.objects('log')
  await log.shred(`tile/0/000.p/${size}`)
  const path = `tile/entries/000.p/${size}`
  const bundle = await log.fetch(path)
  if (!bundle) throw new Error(`there is no ${path}`)
  await log.shred(path)
  await log.store(path, concat(bundle, new Uint8Array(1235)))
}

async function sizeOf(platform: Platform): Promise<number> {
  for (let size = 255; size > 0; size--) {
    if (await platform.objects('log').fetch(`tile/entries/000.p/${size}`)) return size
  }
  throw new Error('the demo has no partial bundle')
}

/** Every file of the home by name, with the digest of its bytes, but for those by which processes take turns. */
function bytesOf(folder: string): Readonly<Record<string, string>> {
  const home = join(folder, 'home')
  const names = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(home, name)).isFile(),
  )
  const files = names
    .filter((name) => !/^lock|-shm$/.test(name))
    .map((name) => [name, readFileSync(join(home, name))] as const)
    // SQLite makes an empty write-ahead log to read with.
    .filter(([name, bytes]) => !(name.endsWith('-wal') && bytes.length === 0))
    .map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')])
  return Object.fromEntries(files) as Record<string, string>
}
