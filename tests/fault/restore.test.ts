// SPDX-License-Identifier: Apache-2.0
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withFaults } from '#adapters/around/faults.ts'
import { openLocal } from '#adapters/local/open.ts'
import { setUp } from '#cli/deployment/set-up.ts'
import type { Settings } from '#cli/deployment/settings.ts'
import { connectInstitution } from '#cli/open/bridge.ts'
import { openHome } from '#cli/open/home.ts'
import { openInstitution, type Institution } from '#cli/open/institution.ts'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { decodeAppend, type Append } from '#core/api/append.ts'
import type { BlockEntries } from '#core/block/block.ts'
import { parseKeyRow } from '#core/block/key-row.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import type { Connection } from '#core/client/connect.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Fetch, Signer } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { Home } from '#core/server/home.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { objectName, rowKey } from '#core/server/store/rows.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { makeSigner } from '#tests/deployment.ts'

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const folder = mkdtempSync(join(tmpdir(), 'ampere-restore-'))
const backups = mkdtempSync(join(tmpdir(), 'ampere-backup-'))
const PASSPHRASE = 'of a test that protects nothing'
const SECRET = 'this was filed in the wrong record'

/** A record on disk from which the patient erased an entry; backups of the home are from before and from during it. */
interface Scene {
  readonly settings: Settings
  readonly hospital: Institution
  readonly record: ChainId
  readonly entries: BlockEntries
  /** The wrapped key of the entry, as it stood in the home's files. */
  readonly wrapped: string
  /** What was sent to the home, in order; last the request and the order to erase. */
  readonly sent: readonly Append[]
  /** A client that saw the erasure and is still running. */
  readonly running: Connection
}

/** The home that is open now, if any. */
const open: { platform?: Platform; fetch?: Fetch } = {}
let scene: Scene

beforeAll(async () => {
  scene = await eraseBetweenBackups()
}, 60_000)
afterEach(stop)
afterAll(() => {
  for (const path of [folder, backups]) rmSync(path, { recursive: true })
})

const reach: Fetch = async (request) => open.fetch?.(request) ?? new Response(null, { status: 503 })

async function eraseBetweenBackups(): Promise<Scene> {
  const origin = 'http://127.0.0.1:19998'
  const institutions = [{ id: 'hospital-a', name: 'Hospital A' }]
  const settings = await setUp(
    folder,
    { origin, institutions, demo: true, passphrase: { kind: 'generated' } },
    async () => PASSPHRASE,
  )
  const hospital = await openInstitution(folder, 'hospital-a', PASSPHRASE)
  const sent: Append[] = []
  const running = connectInstitution(hospital, settings, async (request) => {
    if (request.method === 'POST')
      sent.push(decodeAppend(new Uint8Array(await request.clone().arrayBuffer())))
    return reach(request)
  })
  await start(settings)
  const place = { deployment: asDeploymentId(settings.deployment), origin }
  const { record } = await createRecord(running, place, ['general'])
  await running.append(record, [{ header: utf8('{}'), content: utf8(SECRET), compartment: 'general' }])
  const device = await claim(running, hospital, record)
  const { entries, wrapped } = await filedIn(running, record)
  await stop()
  cpSync(join(folder, 'home'), join(backups, 'before'), { recursive: true })

  await start(settings, 'table.wraps.swap')
  const { opened } = await running.read(record)
  const what = { scope: 'entries' as const, entries: opened, ground: 'misfiled' as const }
  const { block } = await requestErasure(running, record, what, { patient: [device] })
  // The order is durable when carrying it out fails: a backup of this moment holds the order and the keys.
  const ordered = settleErasure(running, record, block.height, 'complete')
  await expect(ordered).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  await stop()
  cpSync(join(folder, 'home'), join(backups, 'during'), { recursive: true })

  await start(settings)
  expect((await running.read(record)).closed.map(({ status }) => status)).toEqual(['erased'])
  await stop()
  return { settings, hospital, record, entries, wrapped, sent, running }
}

async function claim(connection: Connection, hospital: Institution, record: ChainId): Promise<Signer> {
  const [instance] = hospital.instances
  if (!instance) throw new Error('the institution has no instance')
  const device = await makeSigner(random)
  const sealing = toBase64url(sealingPublicKey(random(32)))
  const own = { kind: 'institution' as const, institution: hospital.id }
  const members = [own, { kind: 'device' as const, kid: device.kid, jwk: device.publicKey, sealing }]
  const controllers = { threshold: 1, members }
  await changeChain(connection, record, { controllers }, [instance, device])
  return device
}

async function filedIn(connection: Connection, record: ChainId): Promise<Pick<Scene, 'entries' | 'wrapped'>> {
  const { notes } = await connection.replica(record)
  const entries = notes.find((note) => note.entries !== null)?.entries
  if (!entries) throw new Error('entries are expected')
  const row = await open.platform?.table('wraps').get(record, rowKey(entries))
  const [key] = row ? parseKeyRow(row.value).keys : []
  if (!key || !('wrapped' in key)) throw new Error('a wrapped key is expected')
  return { entries, wrapped: key.wrapped }
}

/** Opens the home of the folder as a server does when it starts; one call of its store fails if asked to. */
async function start(settings: Settings, failing?: string): Promise<void> {
  if (failing === undefined) {
    const { platform, fetch } = await openHome(folder, settings, PASSPHRASE, silentLog)
    Object.assign(open, { platform, fetch })
    return
  }
  const platform = openLocal({ folder: join(folder, 'home'), passphrase: PASSPHRASE })
  const faults = withFaults(platform)
  faults.plan((_, name) => (name === failing ? 'not-applied' : null))
  const verifiers = createVerifiers()
  const home: Home = {
    deployment: asDeploymentId(settings.deployment),
    origin: settings.origin,
    durability: 'local',
    backupDays: 0,
    registry: createRegistrySource(platform.table('registry'), settings.registry, verifiers),
    verifiers,
  }
  const { app } = await homeApp(faults.platform, home, { now: () => Date.now(), random, log: silentLog })
  Object.assign(open, { platform, fetch: async (request: Request) => app.fetch(request) })
}

async function stop(): Promise<void> {
  await open.platform?.close()
  delete open.platform
  delete open.fetch
}

/** Puts a backup of the home's database and files in the place of those of today. */
function restore(name: string): void {
  rmSync(join(folder, 'home'), { recursive: true })
  cpSync(join(backups, name), join(folder, 'home'), { recursive: true })
}

/** What the home has of the entry: its key, if it is not a tombstone, and its sealed object. */
async function held(): Promise<{ keys: number; object: boolean }> {
  const row = await open.platform?.table('wraps').get(scene.record, rowKey(scene.entries))
  const keys = row ? parseKeyRow(row.value).keys.filter((key) => 'wrapped' in key) : []
  const name = objectName(scene.record, scene.entries.root)
  return { keys: keys.length, object: (await open.platform?.objects('entries').fetch(name)) !== null }
}

/** Files of the home in which a text occurs. */
function filesWith(text: string): string[] {
  return readdirSync(join(folder, 'home'), { recursive: true, encoding: 'utf8' }).filter((name) => {
    const file = join(folder, 'home', name)
    return statSync(file).isFile() && readFileSync(file).includes(text)
  })
}

/** The same installation after a restart: it remembers what it saw in its own files. */
const restarted = () => connectInstitution(scene.hospital, scene.settings, reach)
const GONE = { keys: 0, object: false }

describe('a home whose database file is restored', () => {
  it('from when the order stood and the keys were there erases them again before it serves anything', async () => {
    restore('during')
    expect(filesWith(scene.wrapped)).not.toEqual([])
    await start(scene.settings)
    // Nothing was asked of it yet.
    expect(await held()).toEqual(GONE)
    expect(filesWith(scene.wrapped)).toEqual([])
    expect((await restarted().read(scene.record)).closed.map(({ status }) => status)).toEqual(['erased'])
  })

  it('then answers a cached retry of the append without storing anything of it', async () => {
    restore('during')
    await start(scene.settings)
    const retry = scene.sent.find(({ object }) => object !== null)
    if (!retry?.object) throw new Error('the append is expected')
    expect((await restarted().api.append(retry)).block).toBe(retry.block)
    expect(await held()).toEqual(GONE)
    expect(filesWith(scene.wrapped)).toEqual([])
  })

  it('from before the order is called rolled back by every client that saw it, restarted or not', async () => {
    restore('before')
    await start(scene.settings)
    const rolledBack = { code: 'VERIFICATION_FAILED', message: expect.stringContaining('rule rolled-back') }
    await expect(scene.running.read(scene.record)).rejects.toMatchObject(rolledBack)
    await expect(restarted().read(scene.record)).rejects.toMatchObject(rolledBack)
    const more = [{ header: utf8('{}'), content: utf8('more'), compartment: 'general' }]
    await expect(restarted().append(scene.record, more)).rejects.toMatchObject(rolledBack)
  })

  it('from before the order erases again as soon as anyone who kept the order gives it back', async () => {
    restore('before')
    await start(scene.settings)
    expect(await held()).toEqual({ keys: 1, object: true })
    for (const append of scene.sent.slice(-2)) await restarted().api.append(append)
    expect(await held()).toEqual(GONE)
    expect(filesWith(scene.wrapped)).toEqual([])
    expect((await scene.running.read(scene.record)).closed.map(({ status }) => status)).toEqual(['erased'])
  })
})
