// SPDX-License-Identifier: Apache-2.0
import { memoryObjects } from '#adapters/memory/objects.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { StoreObjects } from '#core/ports/objects.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { backupHome, type BackupOptions } from '#core/server/backup/backup.ts'
import { backupSource } from '#core/server/backup/backup-source.ts'
import { BACKUP_NEEDS } from '#core/server/backup/needs.ts'
import { openBackup } from '#core/server/backup/part-reader.ts'
import { storedSource, type HomeSource } from '#core/server/copy/source.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { restoreHome, type RestoreOptions } from '#core/server/restore/restore.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

export const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
export const KEEP_DAYS = 30
export const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

export interface SceneOptions {
  /** Wraps the stores of the home. */
  readonly platform?: (base: Platform) => Platform
  /** Size of one entry; it deflates by less than a quarter. */
  readonly largeBytes?: number
}

/** A home with two records and their access chains, shared with another institution, and one erased entry; all of it logged. */
export interface BackupScene {
  readonly world: TestDeployment
  readonly record: ChainId
  readonly other: ChainId
  readonly source: HomeSource
  /** Appends an entry to the record, and logs it. */
  readonly append: (text: string) => Promise<void>
  /** Erases the entries of the record that have this text. */
  readonly erase: (text: string) => Promise<void>
}

export async function backupScene({ platform, largeBytes = 0 }: SceneOptions = {}): Promise<BackupScene> {
  const world = await testDeployment(['hospital-a', 'hospital-b'], platform ? { platform } : {})
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const { record: other } = await createRecord(a, HOME, ['general'])
  await shareRecord(a, record, { institution: world.institution('hospital-b').id, rights: ['read'] })
  await a.append(record, [entry('kept'), entry('erased before')])
  await a.append(record, [entry('erased later')])
  await a.append(other, [entry('other'), entry(noise(world, largeBytes))])
  await world.tendLog()
  const scene = {
    world,
    record,
    other,
    source: storedSource(await select(world.platform, BACKUP_NEEDS)),
    append: async (text: string) => {
      await a.append(record, [entry(text)])
      await world.tendLog()
    },
    erase: async (text: string) => {
      const { instance, second } = world.institution('hospital-a')
      const { opened } = await a.read(record)
      const entries = opened.filter(({ content }) => new TextDecoder().decode(content) === text)
      const what = { scope: 'entries' as const, entries, ground: 'misfiled' as const }
      const { block } = await requestErasure(a, record, what, { instances: [instance, second] })
      world.clock.now += 73 * 3_600_000
      await settleErasure(a, record, block.height, 'complete')
      await world.tendLog()
    },
  }
  await scene.erase('erased before')
  return scene
}

function noise({ random }: TestDeployment, length: number): string {
  return [...random(length)].map((byte) => String.fromCodePoint(33 + (byte % 90))).join('')
}

/** Backs the home up, into a new store unless one is given. */
export async function backUp(
  { world, source }: Pick<BackupScene, 'world' | 'source'>,
  to: StoreObjects = memoryObjects(),
  options: BackupOptions = {},
) {
  const home = { ...HOME, registry: world.registryId, backupDays: KEEP_DAYS }
  const report = await backupHome(source, to, home, () => world.clock.now, options)
  return { to, report }
}

/** A backup as a source. */
export async function sourceOf(files: StoreObjects): Promise<HomeSource> {
  return backupSource(files, await openBackup(files))
}

/** An empty platform with the keys of the home. */
export function emptyPlatform({ platform, clock }: TestDeployment): Platform {
  return { ...openMemory({ now: () => clock.now }), signer: (name) => platform.signer(name) }
}

/** Restores the home into a platform, a new one unless it is given, and audits what came of it. */
export async function restored(
  { world }: Pick<BackupScene, 'world'>,
  source: HomeSource,
  options: Partial<RestoreOptions> = {},
  platform: Platform = emptyPlatform(world),
) {
  const home = {
    ...world.home,
    registry: createRegistrySource(platform.table('registry'), world.registryId, createVerifiers()),
  }
  const given = { seen: [], policy: null, acceptLoss: false, ...options }
  const report = await restoreHome(source, await select(platform, RESTORE_NEEDS), home, given)
  const ports = await select(platform, AUDITOR_NEEDS)
  const { findings } = await auditChains(ports, home, listChains(ports))
  const back = storedSource(await select(platform, BACKUP_NEEDS))
  return { report, platform, home, source: back, findings }
}
