// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { readSettings } from '#cli/deployment/settings.ts'
import { pinnedPolicy } from '#cli/open/policy.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { parseKeyRow } from '#core/block/key-row.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { loadBlock, objectName, rowKey } from '#core/server/store/rows.ts'
import type { Platform } from '#core/ports/needs.ts'
import { jsonOf, run } from '#tests/cli/harness.ts'
import { entry, erase, interrupted, migrateScene, NEW, OLD, recordOf, withHome } from './scene.ts'

/** A file that is the institution's, and not the home's. */
const BESIDE = 'institutions/hospital-a/note'

/** Whether stores have a key, and sealed entries, of a block. */
async function left(platform: Platform, chain: ChainId, height: number) {
  const entries = (await loadBlock(platform.table('blocks'), chain, height))?.block.entries
  if (!entries) throw new Error('entries are expected')
  const row = await platform.table('wraps').get(chain, rowKey(entries))
  const object = await platform.objects('entries').fetch(objectName(chain, entries.root))
  return {
    keys: row ? parseKeyRow(row.value).keys.filter((key) => !('erased' in key)).length : null,
    object: object !== null,
  }
}

describe('a home on this computer that is migrated into another folder', () => {
  let scene: Awaited<ReturnType<typeof migrateScene>>
  let record: ChainId
  let first: Record<string, unknown>

  beforeAll(async () => {
    scene = await migrateScene()
    const { old, fresh } = scene
    const made = await withHome(old, (open) => recordOf(open, ['before', 'secret'], 1))
    record = made.record
    writeFileSync(join(old, BESIDE), 'one')
    await interrupted(old, fresh, 'copied')
    const copy = openLocal({ folder: join(fresh, 'home'), passphrase: null })
    expect(await left(copy, record, 3)).toEqual({ keys: 1, object: true })
    await copy.close()
    await withHome(old, (open) => erase(open, record, made.device, 'secret'))
  }, 60_000)
  afterAll(() => rmSync(scene.root, { recursive: true }))

  it('is not migrated into its own folder', async () => {
    const refused = await scene.ampere(scene.old, 'migrate', '--to', join(scene.old, 'new'))
    expect(refused).toMatchObject({ code: 2, said: expect.stringContaining('beside the data folder') })
  })

  it('says what lies in the new folder when it ends before its end, and nothing starts there', async () => {
    const { root, old, fresh, ampere } = scene
    // As a run that was killed before the first chain moved noted it.
    const note = join(old, 'moved.json')
    writeFileSync(note, JSON.stringify({ v: 1, to: fresh, left: true }))
    const held = openLocal({ folder: join(fresh, 'home'), passphrase: null })
    const words = ['--data', old, '--passphrase-file', join(root, 'passphrase'), '--no-input']
    const ended = await run(['migrate', '--to', fresh, ...words])
    await held.close()
    expect(ended).toMatchObject({ code: 1, err: expect.stringContaining('holds keys and sealed objects') })
    expect(JSON.parse(readFileSync(note, 'utf8'))).toEqual({ v: 1, to: fresh, left: false })
    expect(ended.err).toMatch(/remove that folder and then npx ampere retire .*home-2/)
    expect(existsSync(join(fresh, 'settings.json'))).toBe(false)
    const refused = await ampere(fresh, 'start', '--once')
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('no deployment') })
  }, 60_000)

  it('moves every chain with the registry, and carries out what was erased since it was copied', async () => {
    const { old, fresh, ampere } = scene
    const done = await ampere(old, 'migrate', '--to', fresh)
    expect(done).toMatchObject({ code: 0, err: '' })
    first = jsonOf(done)
    expect(first).toMatchObject({
      ok: true,
      origin: NEW,
      ended: [],
      unlogged: 0,
      compared: { chains: 2, differences: [], unlisted: 0 },
    })
    expect(first['moved']).toHaveLength(2)
    await withHome(fresh, async ({ platform, home }) => {
      expect(await left(platform, record, 3)).toEqual({ keys: 0, object: false })
      expect(await left(platform, record, 2)).toEqual({ keys: 1, object: true })
      expect((await home.registry.refresh()).newest().get('rules')).toMatchObject({ home: 'home-2' })
    })
  }, 60_000)

  it.each([
    ['before its settings were written', ['settings.json']],
    ['before its institutions were copied', ['settings.json', 'institutions']],
    ['after all', []],
  ])(
    'goes on when it is given again, interrupted %s',
    async (_, missing) => {
      const { old, fresh, ampere } = scene
      for (const name of missing) rmSync(join(fresh, name), { recursive: true })
      const again = await ampere(old, 'migrate', '--to', fresh)
      expect(again).toMatchObject({ code: 0, err: '' })
      const { moved, origin, deployment } = jsonOf(again)
      expect({ moved, origin, deployment }).toEqual({
        moved: first['moved'],
        origin: first['origin'],
        deployment: first['deployment'],
      })
      expect(readSettings(fresh)).toMatchObject({ origin: NEW, institutions: ['hospital-a'] })
    },
    60_000,
  )

  it('copies what institutions took in since an earlier run, until the new folder has its settings', async () => {
    const { old, fresh, ampere } = scene
    rmSync(join(fresh, 'settings.json'))
    const started = await ampere(old, 'start', '--once')
    expect(started).toMatchObject({
      code: 1,
      said: expect.stringMatching(/CHAIN_MOVED.*interrupted.*migrate/),
    })
    writeFileSync(join(old, BESIDE), 'two')
    expect(await ampere(old, 'migrate', '--to', fresh)).toMatchObject({ code: 0, err: '' })
    expect(readFileSync(join(fresh, BESIDE), 'utf8')).toBe('two')
    writeFileSync(join(fresh, BESIDE), 'three')
    const refused = await ampere(old, 'migrate', '--to', fresh)
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('ALREADY_EXISTS') })
    expect(refused.said).toContain(BESIDE)
    expect(readFileSync(join(fresh, BESIDE), 'utf8')).toBe('three')
  }, 60_000)

  it('goes on in the new folder, where an export verifies with the receipts of both logs', async () => {
    const { fresh, ampere } = scene
    await withHome(fresh, async ({ connection, tendLog, settings }) => {
      await connection.append(record, [entry('after')])
      await tendLog()
      const { opened } = await connection.read(record)
      expect(opened.map(({ content }) => new TextDecoder().decode(content))).toEqual(['before', 'after'])
      const policy = pinnedPolicy(fresh, settings)
      const bytes = await exportRecord(connection, record)
      const report = await verifyExport(bytes, policy ? { registry: settings.registry, policy } : {})
      expect(report).toMatchObject({ origin: NEW, problems: [] })
      // The hospital's bridge has not said yet that its copies are gone.
      expect(report.statuses.map((status, height) => (height === 3 ? status : status === 'logged'))).toEqual(
        report.statuses.map((_, height) => (height === 3 ? 'erasing' : true)),
      )
    })
    expect(await ampere(fresh, 'verify', '--all')).toMatchObject({ code: 0, err: '' })
    expect((await ampere(fresh, 'audit', '--stores')).code).toBe(0)
  }, 60_000)

  it('takes nothing in the old folder any more, and starts there no more: it would learn of no revocation', async () => {
    const { old, fresh, ampere } = scene
    await withHome(old, async ({ connection }) => {
      const moved = { code: 'CHAIN_MOVED', message: expect.stringContaining(NEW) }
      await expect(connection.append(record, [entry('late')])).rejects.toMatchObject(moved)
      await expect(connection.read(record)).rejects.toMatchObject(moved)
    })
    for (const command of [
      ['instance', 'enrol'],
      ['start', '--once'],
      ['import', join(fresh, 'settings.json')],
    ]) {
      const refused = await ampere(old, ...command)
      expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('CHAIN_MOVED') })
      expect(refused.said).toContain(`npx ampere start --data ${fresh}`)
    }
    expect((await ampere(old, 'audit', '--stores')).code).toBe(0)
  }, 60_000)

  it('is waited for by erasures until it is retired, which its own new home cannot be', async () => {
    const { fresh, ampere } = scene
    const refused = await ampere(fresh, 'retire', 'home-2', '--confirm', 'home-2')
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('CONFIGURATION') })
    const retired = await ampere(fresh, 'retire', 'home-1', '--confirm', 'home-1')
    expect(retired).toMatchObject({ code: 0, err: '' })
    expect(jsonOf(retired)).toMatchObject({ ok: true, deployment: 'home-1', origin: OLD })
  }, 60_000)
})
