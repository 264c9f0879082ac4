// SPDX-License-Identifier: Apache-2.0
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { openMemory } from '#adapters/memory/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { WITNESS_PREFIX } from '#core/api/log.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord, unshareRecord } from '#core/client/acts/share-record.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy, type Policy } from '#core/log/policy/policy.ts'
import type { Fetch, Signer } from '#core/ports/keys.ts'
import { keyRecord } from '#core/registry/build.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import type { Home } from '#core/server/home.ts'
import type { HomeStores } from '#core/server/copy/stores.ts'
import { MIRROR_NEEDS, copyOf } from '#core/server/mirror/copy-of.ts'
import { mirrorChains, type MirrorReport } from '#core/server/mirror/mirror.ts'
import { storedSource, type HomeSource } from '#core/server/copy/source.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { restoreHome, type RestoreOptions, type RestoreReport } from '#core/server/restore/restore.ts'
import { rowKey } from '#core/server/store/rows.ts'
import { parseKeyRow } from '#core/block/key-row.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { logKeysOf, makeWitness } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN, seededRandom, START_MS, testDeployment, type TestDeployment } from '#tests/deployment.ts'

/** Where the mirror is; nothing listens there. */
export const MIRROR_ORIGIN = 'http://mirror.test'
export const DEPLOYMENT = asDeploymentId('home-1')
const HOME = { deployment: DEPLOYMENT, origin: ORIGIN }
const PASSPHRASE = 'of a test that protects nothing'
export const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A home on disk under a witness, and a mirror elsewhere. */
export interface Scene {
  readonly world: TestDeployment
  readonly root: string
  readonly mirror: Platform
  readonly copy: HomeStores
  readonly policy: Policy
  readonly record: ChainId
  readonly access: ChainId
  readonly other: ChainId
  readonly witness: Fetch
  /** Reaches the home that is open now. */
  readonly reached: { fetch: Fetch }
  readonly run: () => Promise<MirrorReport>
  /** Deletes the home's folder, all but a copy of its key file, and makes an empty one. */
  readonly lose: () => Promise<void>
  /** Restores from the mirror, or from what `hostile` makes of it. */
  readonly restore: (
    options?: Partial<RestoreOptions>,
    hostile?: (source: HomeSource) => HomeSource,
  ) => Promise<RestoreReport>
  /** Serves the home of the folder as it is now. */
  readonly serve: () => Promise<{
    readonly platform: Platform
    readonly home: Home
    readonly tendLog: () => Promise<void>
  }>
  readonly close: () => Promise<void>
}

/** Three chains: a record with an erased entry, whose reader B was removed; its access chain; and another record. */
export async function mirroredScene(): Promise<Scene> {
  const root = mkdtempSync(join(tmpdir(), 'ampere-mirror-'))
  const [folder, clock] = [join(root, 'home'), { now: START_MS }]
  const now = () => clock.now
  const passphrase = { text: PASSPHRASE, masters: new Map(), isRandom: true }
  const outside: { witness: Fetch } = { witness: () => Promise.reject(new TypeError('nobody is there')) }
  const open = () =>
    openLocal({
      folder,
      passphrase,
      now,
      random: seededRandom(31),
      fetch: (request) => outside.witness(request),
    })
  let base: Platform | null = open()
  const logKeys = (await logKeysOf(base)).map(formatVerifierKey)
  const witness = await makeWitness('http://w.test', logKeys, clock, 41)
  outside.witness = witness.app
  const policy = parsePolicy(
    [
      ...logKeys.map((key) => `log ${key}`),
      ...witness.keys.map(
        (key, i) => `witness w-${i} ${formatVerifierKey(key)} http://w.test${WITNESS_PREFIX}`,
      ),
      'group w all w-0 w-1',
      'quorum w',
      '',
    ].join('\n'),
  )
  const names = ['hospital-a', 'hospital-b', 'mirror-m']
  const world = await testDeployment(names, { base, policy, clock })
  const reached = { fetch: world.fetch }
  const mirror = openMemory({ now, random: seededRandom(51), fetch: (request) => reached.fetch(request) })
  const { id: institution, instance } = world.institution('mirror-m')
  const ports = {
    ...(await select(mirror, { ...MIRROR_NEEDS, keys: {} })),
    keys: { instance, head: await mirror.signer('head') },
  }
  const verifiers = createVerifiers()
  const mirrored = {
    ...HOME,
    registry: world.registryId,
    logKeys: await logKeysOf(base),
    policy,
    own: MIRROR_ORIGIN,
    institution,
    backupDays: 0,
    verifiers,
  }
  const run = () => mirrorChains(ports, mirrored)
  const copy = copyOf(ports, DEPLOYMENT)
  const homeOf = (platform: Platform): Home => ({
    ...world.home,
    registry: createRegistrySource(platform.table('registry'), world.registryId, verifiers),
  })
  const a = world.connect('hospital-a')
  const { record, access } = await createRecord(a, HOME, ['general'])
  const { record: other } = await createRecord(a, HOME, ['general'])
  const reader = { institution: world.institution('hospital-b').id, rights: ['read' as const] }
  await shareRecord(a, record, reader)
  await shareRecord(a, other, reader)
  for (const chain of [record, other]) await shareRecord(a, chain, { institution, rights: ['hold'] })
  await a.append(record, [entry('kept'), entry('to be erased')])
  await a.append(record, [entry('erased whole')])
  await a.append(other, [entry('other')])
  await a.append(access, [{ ...entry('b read it'), compartment: 'readings' }])
  await world.tendLog()
  await unshareRecord(a, record, reader.institution)
  await a.append(record, [entry('after b')])
  return {
    world,
    root,
    mirror,
    copy,
    policy,
    record,
    access,
    other,
    witness: witness.app,
    reached,
    run,
    lose: async () => {
      await base?.close()
      base = null
      reached.fetch = () => Promise.reject(new TypeError('the home is lost'))
      cpSync(join(folder, 'keys.json'), join(root, 'keys.json'))
      rmSync(folder, { recursive: true })
      mkdirSync(folder)
      cpSync(join(root, 'keys.json'), join(folder, 'keys.json'))
    },
    restore: async (options = {}, hostile = (source) => source) => {
      base ??= open()
      const target = await select(base, RESTORE_NEEDS)
      return restoreHome(hostile(storedSource(copy)), target, homeOf(base), {
        seen: [],
        policy,
        acceptLoss: false,
        ...options,
      })
    },
    serve: async () => {
      base ??= open()
      const platform = base
      const home = homeOf(platform)
      const hosting = { now, random: world.random, log: silentLog }
      const { app, tendLog } = await homeApp(platform, home, hosting, {
        policy,
        pause: async () => undefined,
      })
      reached.fetch = async (request) => app.fetch(request)
      return { platform, home, tendLog }
    },
    close: async () => {
      await base?.close()
      rmSync(root, { recursive: true })
    },
  }
}

/** Erases one entry of the block with two, and the only one of another. */
export async function eraseTwo({ world, record }: Scene): Promise<void> {
  const a = world.connect('hospital-a')
  const { instance, second } = world.institution('hospital-a')
  const { opened } = await a.read(record)
  const entries = opened.filter(({ content }) => new TextDecoder().decode(content).includes('erased'))
  const what = { scope: 'entries' as const, entries, ground: 'misfiled' as const }
  const { block } = await requestErasure(a, record, what, { instances: [instance, second] })
  // Witnesses see since when it waits.
  await world.tendLog()
  world.clock.now += 73 * 3_600_000
  await settleErasure(a, record, block.height, 'complete')
}

/** Enters a deployment of an institution in the registry, so that what it signs can be told to be its own. */
export async function deploy(
  { world }: Scene,
  name: string,
  id: string,
  origin: string,
  { kid, publicKey }: Signer,
) {
  const deployment = asDeploymentId(id)
  const { id: institution } = world.institution(name)
  const record = { v: 1, kind: 'deployment', id: deployment, institution, origin, kid } as const
  const key = keyRecord(publicKey, 'head', { deployment })
  await world.change(name, [{ act: 'deploy', deployment: record, key }])
}

/** The stores of a home as a copy has them. */
export function storesOf(platform: Platform): Pick<HomeStores, 'tables'> {
  return {
    tables: { blocks: platform.table('blocks'), wraps: platform.table('wraps') } as HomeStores['tables'],
  }
}

/** Each key of a chain's rows, in order of height: wrapped or erased. */
export async function keysIn(
  { tables }: Pick<HomeStores, 'tables'>,
  chain: ChainId,
): Promise<readonly string[]> {
  const keys: string[] = []
  for (const { value } of await tables.blocks.range(chain)) {
    const { entries } = parseBlock(new TextDecoder().decode(value)).block
    const row = entries && (await tables.wraps.get(chain, rowKey(entries)))
    if (row) keys.push(...parseKeyRow(row.value).keys.map((key) => ('erased' in key ? 'erased' : 'wrapped')))
  }
  return keys
}
