// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { fromUtf8, toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { concat, frame } from '#core/bytes/frame.ts'
import {
  asDeploymentId,
  type ChainId,
  type CompartmentId,
  type Digest,
  type EntryId,
} from '#core/bytes/ids.ts'
import { describe as describeEntry, descriptorLeaf, packObject } from '#core/block/entries-object.ts'
import { encodeKeyRow, entomb, keyRowLeaves, parseKeyRow } from '#core/block/key-row.ts'
import { packagesRoot } from '#core/block/packages.ts'
import type { EpochPackage } from '#core/api/append.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { hkdfExpand } from '#core/crypto/hkdf.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import { rootOf } from '#core/log/merkle.ts'
import { select } from '#core/ports/needs.ts'
import { sealPackage } from '#core/seal/epoch.ts'
import { sealKeys } from '#core/seal/wraps.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { loadBlock, rowKey } from '#core/server/store/rows.ts'
import { control, digest, record as recordBlock, seal } from '#tests/core/chain/small-chain.ts'
import { collidingCiphertext } from '#tests/core/seal/gcm-collision.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string, compartment = 'general') => ({
  header: utf8('{}'),
  content: utf8(text),
  compartment,
})

interface Scene {
  readonly world: TestDeployment
  readonly a: Connection
  readonly record: ChainId
  readonly general: CompartmentId
}

async function scene(): Promise<Scene> {
  const world = await testDeployment(['hospital-a', 'hospital-b', 'hospital-c'])
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const [general] = (await a.replica(record)).link.state.compartments.map(({ id }) => id)
  if (!general) throw new Error('a compartment is expected')
  return { world, a, record, general }
}

const closedOf = async ({ world, record }: Scene, name: string) =>
  (await world.connect(name).read(record)).closed.map(({ status, rule }) => `${status} ${rule}`)
const openedOf = async ({ world, record }: Scene, name: string) =>
  (await world.connect(name).read(record)).opened.map(({ content }) => fromUtf8(content))
const grantTo = ({ world, general }: Scene, name: string) => ({
  institution: world.institution(name).id,
  rights: ['read' as const],
  compartments: [general],
  until: null,
  limits: null,
})

async function findings({ world }: Scene) {
  const ports = await select(world.platform, AUDITOR_NEEDS)
  return (await auditChains(ports, world.home, listChains(ports))).findings.map(
    ({ status, rule }) => `${status} ${rule}`,
  )
}

/** Replaces what a table holds under a key. */
async function replaceRow(
  { world }: Scene,
  table: 'packages' | 'states' | 'wraps',
  at: readonly [partition: string, key: string],
  change: (value: string) => string | null,
): Promise<void> {
  const store = world.platform.table(table)
  const row = await store.get(...at)
  if (!row) throw new Error('no such row')
  const next = change(fromUtf8(row.value))
  await store.swap(...at, row.version, next === null ? null : utf8(next))
}

async function entriesAt({ world, record }: Scene, height: number) {
  const found = await loadBlock(world.platform.table('blocks'), record, height)
  if (!found?.block.entries) throw new Error('entries are expected')
  return found.block.entries
}

describe('an author who gives two readers different seeds', () => {
  it('is noticed by each of them, for neither seed gives the public key of the chain', async () => {
    const at = await scene()
    const { world, a, record, general } = at
    const grants = { put: [grantTo(at, 'hospital-b'), grantTo(at, 'hospital-c')], remove: [] }
    const packages = await Promise.all(
      ['hospital-b', 'hospital-c'].map(async (reader): Promise<EpochPackage> => {
        const readerKey = sealingPublicKey(world.institution(reader).sealingSeed)
        const contents = {
          compartments: [{ id: general, name: 'general', seed: world.random(32) }],
          labelKey: world.random(32),
        }
        const sealed = await sealPackage({ chain: record, epoch: 1, reader, readerKey, contents })
        return { kind: 'reader', epoch: 1, reader, sealed: toBase64url(sealed) }
      }),
    )
    const rules = { history: await world.home.registry.refresh(), random: world.random }
    const { link } = await a.replica(record)
    const { instance } = world.institution('hospital-a')
    const draft = await control(rules, link, [instance], { grants, packages: packagesRoot(packages) })
    const time = link.opened.block.time
    const block = await seal(rules, link, { ...draft, time }, instance)
    await a.api.append({ block, row: null, packages, labelKey: null, object: null })
    await a.append(record, [entry('one')])
    expect(await openedOf(at, 'hospital-a')).toEqual(['one'])
    for (const name of ['hospital-b', 'hospital-c']) {
      expect(await openedOf(at, name)).toEqual([])
      expect(await closedOf(at, name)).toEqual(['unopenable package'])
    }
  })
})

describe('an author who makes one ciphertext that opens under two keys', () => {
  it.each([0, 1])('shows it to nobody, whichever of the keys it wraps (%i)', async (chosen) => {
    const at = await scene()
    const { world, a, record, general } = at
    const { random } = world
    const [deks, salt, id] = [[random(32), random(32)], random(24), toBase64url(random(16)) as EntryId]
    const context = frame('ampere-entry/v1', record, id, general)
    const prefix = utf8('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0')
    const derived = deks.map((dek) => {
      const okm = hkdfExpand('SHA-512', dek, concat(prefix, salt, context), 76)
      return { key: okm.subarray(0, 32), nonce: okm.subarray(32, 44), commitment: okm.subarray(44) }
    })
    const [one, two] = derived
    const dek = deks[chosen]
    if (!one || !two || !dek) throw new Error('two keys are expected')
    const ciphertext = concat(salt, one.commitment, collidingCiphertext(one, two))
    const descriptor = await describeEntry(id, general, ciphertext)
    const root = toBase64url(rootOf([descriptorLeaf(descriptor)])) as Digest
    const replica = await a.replica(record)
    const [key] = replica.epochs.get(1) ?? []
    const publicKey = Buffer.from(key?.key ?? '', 'base64url')
    const epochKeys = [{ compartment: general, epoch: 1, publicKey }]
    const row = await sealKeys({
      chain: record,
      root,
      epochKeys,
      deks: [{ compartment: general, dek }],
      random,
    })
    const keys = toBase64url(rootOf(keyRowLeaves(row))) as Digest
    const rules = { history: await world.home.registry.refresh(), random }
    const draft = recordBlock(rules, replica.link, { bytes: ciphertext.length, root, keys })
    const block = await seal(
      rules,
      replica.link,
      { ...draft, time: replica.link.opened.block.time },
      world.institution('hospital-a').instance,
    )
    const object = packObject([descriptor], [ciphertext])
    await a.api.append({ block, row: fromUtf8(encodeKeyRow(row)), packages: [], labelKey: null, object })
    expect(await closedOf(at, 'hospital-a')).toEqual(['unopenable author-seal'])
  })
})

describe('a home that changes what it keeps', () => {
  it('refuses to go on from a control state that was changed, and every audit says so', async () => {
    const at = await scene()
    const { world, a, record } = at
    const { state } = (await a.replica(record)).link.opened.block
    await replaceRow(at, 'states', [record, state], (text) => text.replace('"hold":false', '"hold":true'))
    await expect(a.append(record, [entry('one')])).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    await expect(world.connect('hospital-a').read(record)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
    expect(await findings(at)).toEqual(['tampered state-row'])
  })

  it('cannot put the key row of one block in the place of that of another', async () => {
    const at = await scene()
    await at.a.append(at.record, [entry('one')])
    await at.a.append(at.record, [entry('two')])
    const [first, second] = [await entriesAt(at, 2), await entriesAt(at, 3)]
    const other = await at.world.platform.table('wraps').get(at.record, rowKey(second))
    await replaceRow(at, 'wraps', [at.record, rowKey(first)], () =>
      fromUtf8(other?.value ?? new Uint8Array(0)),
    )
    expect(await closedOf(at, 'hospital-a')).toEqual(['tampered keys-root'])
    expect(await openedOf(at, 'hospital-a')).toEqual(['two'])
    expect(await findings(at)).toEqual(['tampered keys-root'])
  })

  it('cannot pass off keys that it destroyed as erased', async () => {
    const at = await scene()
    await at.a.append(at.record, [entry('one'), entry('two')])
    const place = [at.record, rowKey(await entriesAt(at, 2))] as const
    const erase = digest(at.world.random) as never
    await replaceRow(at, 'wraps', place, (text) =>
      fromUtf8(encodeKeyRow(entomb(parseKeyRow(utf8(text)), [1], erase))),
    )
    expect(await openedOf(at, 'hospital-a')).toEqual(['one'])
    expect(await closedOf(at, 'hospital-a')).toEqual(['missing keys-row'])
    expect(await findings(at)).toEqual(['missing destroyed-key'])
    const report = await verifyExport(await exportRecord(at.a, at.record))
    expect(report).toMatchObject({ erased: 0, problems: [{ height: 2, rule: 'keys-row' }] })
    const store = at.world.platform.objects('entries')
    await store.shred(`${at.record}/${(await entriesAt(at, 2)).root}`)
    expect(new Set(await closedOf(at, 'hospital-a'))).toEqual(new Set(['missing object']))
    const bare = await verifyExport(await exportRecord(at.a, at.record))
    expect(bare.problems.map(({ rule }) => rule)).toEqual(['keys-row', 'object'])
  })

  it.each([
    ['absent', () => null],
    [
      'changed',
      (text: string) =>
        text.replace(/"sealed":"(.)/, (_, first: string) => `"sealed":"${first === 'A' ? 'B' : 'A'}`),
    ],
  ] as const)(
    'cannot make a reader believe that it was not granted what its %s package holds',
    async (_, change) => {
      const at = await scene()
      await at.a.append(at.record, [entry('one')])
      await changeChain(at.a, at.record, { grant: [grantTo(at, 'hospital-b')] })
      expect(await openedOf(at, 'hospital-b')).toEqual(['one'])
      const rows = await at.world.platform.table('packages').range(at.record)
      const mine = rows.find((row) => row.key.includes('hospital-b'))
      await replaceRow(at, 'packages', [at.record, mine?.key ?? ''], change)
      expect(await openedOf(at, 'hospital-b')).toEqual([])
      const [status] = await closedOf(at, 'hospital-b')
      expect(status).toBe(change('') === null ? 'missing package' : 'unopenable package')
    },
  )

  it('cannot give a reader its own label key, nor the package of an earlier epoch', async () => {
    const at = await scene()
    const { world, a, record } = at
    const held = await a.keyring(await a.replica(record))
    expect(held.labelKey).not.toBeNull()
    await rotateChain(a, record)
    await a.append(record, [entry('new')])
    const packages = world.platform.table('packages')
    const rows = await packages.range(record)
    const [old, current] = ['01/reader', '02/reader'].map((part) =>
      rows.find((row) => row.key.includes(part)),
    )
    const readerKey = sealingPublicKey(world.institution('hospital-a').sealingSeed)
    const contents = { compartments: [], labelKey: world.random(32) }
    const forged = await sealPackage({ chain: record, epoch: 2, reader: 'hospital-a', readerKey, contents })
    await replaceRow(at, 'packages', [record, current?.key ?? ''], (text) =>
      text.replace(/"sealed":"[^"]+"/, `"sealed":"${toBase64url(forged)}"`),
    )
    const fresh = world.connect('hospital-a')
    const { labelKey, seedOf } = await fresh.keyring(await fresh.replica(record))
    expect({ labelKey, seed: seedOf(at.general, 2) }).toEqual({ labelKey: null, seed: null })
    expect(await closedOf(at, 'hospital-a')).toEqual(['missing package'])
    const earlier = fromUtf8(old?.value ?? new Uint8Array(0)).replace('"epoch":1', '"epoch":2')
    await replaceRow(at, 'packages', [record, current?.key ?? ''], () => earlier)
    expect(await closedOf(at, 'hospital-a')).toEqual(['unopenable package'])
  })
})
