// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, asInstitutionId, type ChainId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { encodeKeyRow, entomb, parseKeyRow } from '#core/block/key-row.ts'
import { bridgeStore, signErased } from '#core/api/erased.ts'
import { parseHead, signHead } from '#core/api/head.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { readErasures, stateErased } from '#core/client/acts/state-erased.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { blockStatuses } from '#core/client/read/status.ts'
import { keyRecord } from '#core/registry/build.ts'
import { loadBlock, rowKey } from '#core/server/store/rows.ts'
import { makeSigner, ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

async function scene() {
  const world = await testDeployment(['hospital-a', 'hospital-b'])
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const share = (rights: ('append' | 'read')[]) =>
    shareRecord(a, record, { institution: asInstitutionId('hospital-b'), rights })
  return { world, a, record, share }
}

type Line = Record<string, unknown>
const linesOf = (file: Uint8Array) =>
  fromUtf8(file)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
const fileOf = (lines: readonly Line[]) => utf8(`${lines.map((line) => canonicalize(line)).join('\n')}\n`)
/** The lines without the blocks from `height` on. */
const cut = (lines: readonly Line[], height: number) => {
  let seen = 0
  return lines.filter((line) => !('block' in line) || seen++ < height)
}

describe('an export', () => {
  it('cannot be cut off with a head statement of another home of the same registry', async () => {
    const { world, a, record } = await scene()
    await a.append(record, [entry('one')])
    const [filed] = await a.append(record, [entry('allergy')])
    const own = await makeSigner(world.random)
    const deployment = asDeploymentId('home-b')
    const origin = 'http://home-b.test'
    await world.change('hospital-b', [
      {
        act: 'deploy',
        deployment: {
          v: 1,
          kind: 'deployment',
          id: deployment,
          institution: asInstitutionId('hospital-b'),
          origin,
          kid: own.kid,
        },
        key: keyRecord(own.publicKey, 'head', { deployment }),
      } as never,
    ])
    await a.read(record)
    const lines = cut(linesOf(await exportRecord(a, record)), filed?.height ?? 0)
    const { head } = parseHead(String(lines.at(-1)?.['head']))
    const last = parseBlock(String(lines.findLast((line) => 'block' in line)?.['block']))
    const forged = await signHead({ ...head, origin, height: last.block.height, block: last.id }, own)
    const file = fileOf([{ ...lines[0], origin }, ...lines.slice(1, -1), { head: forged }])
    await expect(verifyExport(file, { registry: world.registryId })).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
    })
  })

  it('cannot be cut off with a head statement of an old block: the home gives none for sending it again', async () => {
    const { world, a, record } = await scene()
    const [first] = await a.append(record, [entry('one')])
    const old = linesOf(await exportRecord(a, record))
    world.clock.now += 60_000
    await a.append(record, [entry('allergy')])
    const block = String(old.filter((line) => 'block' in line)[first?.height ?? 0]?.['block'])
    const again = await a.api.append({ block, row: null, packages: [], labelKey: null, object: null })
    expect(again).toEqual({ block, head: null })
  })
})

async function eraseFirst(world: TestDeployment, a: ReturnType<TestDeployment['connect']>, record: ChainId) {
  const [one, two] = await a.append(record, [entry('one'), entry('two')])
  if (!one || !two) throw new Error('two entries are expected')
  const { instance, second } = world.institution('hospital-a')
  const what = { scope: 'entries' as const, entries: [one], ground: 'misfiled' as const }
  const request = await requestErasure(a, record, what, { instances: [instance, second] })
  world.clock.now += 73 * 3_600_000
  const before = await storedRow(world, record, one.height)
  await settleErasure(a, record, request.block.height, 'complete')
  const [erasure] = (await a.read(record)).erasures
  if (!erasure) throw new Error('nothing was erased')
  return { one, two, erasure, before }
}

async function storedRow(world: TestDeployment, record: ChainId, height: number) {
  const block = await loadBlock(world.platform.table('blocks'), record, height)
  if (!block?.block.entries) throw new Error('entries are expected')
  const key = rowKey(block.block.entries)
  const row = await world.platform.table('wraps').get(record, key)
  if (!row) throw new Error('a row is expected')
  return { key, value: row.value }
}

async function replaceRow(world: TestDeployment, record: ChainId, key: string, value: Uint8Array) {
  const wraps = world.platform.table('wraps')
  const row = await wraps.get(record, key)
  await wraps.swap(record, key, row?.version ?? null, value)
}

describe('an erasure', () => {
  it('is not held up by an institution that never could read', async () => {
    const { world, a, record, share } = await scene()
    await share(['append'])
    const { erasure } = await eraseFirst(world, a, record)
    await world.connect('hospital-b').api.stateErased(
      record,
      await signErased(
        {
          v: 1,
          chain: record,
          block: erasure.id,
          store: bridgeStore(asInstitutionId('hospital-b')),
          at: toTimestamp(world.clock.now),
          backupsExpire: toTimestamp(world.clock.now + 1000 * 365 * 86_400_000),
        },
        world.institution('hospital-b').instance,
      ),
    )
    await stateErased(a, record, erasure, 0)
    expect((await readErasures(a, record))[0]).toMatchObject({ status: 'erased', owing: [] })
  })

  /** What a reader and a verifier of an export say of the block. */
  async function words({ world, a, record }: Awaited<ReturnType<typeof scene>>, height: number) {
    const fresh = world.connect('hospital-a')
    const view = await fresh.read(record)
    const here = blockStatuses(view, await readErasures(fresh, record))
    const file = await verifyExport(await exportRecord(a, record), { nowMs: world.clock.now })
    return { reader: here[height], file: file.statuses[height] }
  }

  it('is not over while the home that states it serves the key', async () => {
    const setting = await scene()
    const { world, a, record } = setting
    const { one, erasure, before } = await eraseFirst(world, a, record)
    await stateErased(a, record, erasure, 0)
    expect(await words(setting, one.height)).toEqual({ reader: 'erased', file: 'erased' })
    await replaceRow(world, record, before.key, before.value)
    expect(await words(setting, one.height)).toEqual({ reader: 'erasing', file: 'erasing' })
  })

  it('does not cover for the key of another entry, in the eyes of any verifier', async () => {
    const setting = await scene()
    const { world, a, record } = setting
    const { one, erasure, before } = await eraseFirst(world, a, record)
    await stateErased(a, record, erasure, 0)
    const other = entomb(parseKeyRow(before.value), [1], erasure.id)
    await replaceRow(world, record, before.key, encodeKeyRow(other))
    expect(await words(setting, one.height)).toEqual({ reader: 'missing', file: 'missing' })
  })
})
