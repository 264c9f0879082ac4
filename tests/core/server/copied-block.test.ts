// SPDX-License-Identifier: Apache-2.0
import { MAX_OBJECT_BYTES } from '#core/block/block.ts'
import { describe, expect, it } from '@jest/globals'
import { fromUtf8, toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, asInstitutionId, type OpId } from '#core/bytes/ids.ts'
import { parseBlock, signBlock } from '#core/block/open-block.ts'
import { following } from '#core/client/append-entries.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'
import { encodeKeyRow, keyRowLeaves, parseKeyRow } from '#core/block/key-row.ts'
import { rootOf } from '#core/log/merkle.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }

describe.each([
  ['with its keys', (row: Uint8Array) => row],
  [
    'with other keys',
    (row: Uint8Array) => {
      const parsed = parseKeyRow(row)
      const keys = parsed.keys.map(() => ({ wrapped: toBase64url(new Uint8Array(40)) }))
      return encodeKeyRow({ ...parsed, keys })
    },
  ],
])('a block that an institution copied from another, %s', (_, change) => {
  it('can be erased, and the other stays whole', async () => {
    const world = await testDeployment(['hospital-a', 'hospital-b'])
    const a = world.connect('hospital-a')
    const { record } = await createRecord(a, HOME, ['general'])
    const institution = asInstitutionId('hospital-b')
    await shareRecord(a, record, { institution, rights: ['append'] })
    const [own] = await a.append(record, [
      { header: utf8('{}'), content: utf8('allergy'), compartment: 'general' },
    ])
    if (!own) throw new Error('an entry is expected')
    const b = world.connect('hospital-b')
    const replica = await b.replica(record)
    const { entries } = parseBlock((await a.api.blocks(record, own.height)).items[0] ?? '').block
    if (!entries) throw new Error('entries are expected')
    const row = change((await b.api.keyRow(record, `${entries.root}.${entries.keys}`)) ?? new Uint8Array(0))
    const keys = toBase64url(rootOf(keyRowLeaves(parseKeyRow(row)))) as typeof entries.keys
    const object = await b.api.object(record, entries.root, MAX_OBJECT_BYTES)
    const block = {
      ...following(b.ports, replica, toBase64url(world.random(16)) as OpId),
      type: 'record' as const,
      entries: { ...entries, keys },
      body: {},
    }
    const signed = await signBlock(block, b.ports.identity.signer)
    await b
      .submit({ block: signed.compact, row: fromUtf8(row), packages: [], labelKey: null, object })
      .catch(() => null)
    const copies = (await a.read(record)).closed.concat((await a.read(record)).opened as never)
    const copy = copies.find((entry) => entry.height > own.height)
    if (copy) {
      const { instance, second } = world.institution('hospital-a')
      const what = {
        scope: 'entries' as const,
        entries: [{ height: copy.height, id: copy.id }],
        ground: 'misfiled' as const,
      }
      const asked = await requestErasure(a, record, what, { instances: [instance, second] })
      world.clock.now += 73 * 3_600_000
      await settleErasure(a, record, asked.block.height, 'complete')
    }
    const view = await world.connect('hospital-a').read(record)
    expect(view.opened.map(({ height }) => height)).toContain(own.height)
    const file = await verifyExport(await exportRecord(a, record))
    expect(file.problems).toEqual([])
  })
})
