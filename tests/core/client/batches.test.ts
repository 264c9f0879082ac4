// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { BATCH_ENTRIES } from '#core/client/append-entries.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { heightsIn, noteBatch, openBatches } from '#core/client/read/batches.ts'
import type { BlockNote } from '#core/client/read/block-note.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const note = (height: number, id: string, index: number, last: boolean, kid = 'k') =>
  ({ height, kid, entries: { batch: { id, index, last } } }) as unknown as BlockNote
const held = (...notes: BlockNote[]) => [...heightsIn(openBatches(notes))]

describe('a batch', () => {
  it('is whole with its last block, whatever lies between its blocks', () => {
    expect(held(note(2, 'b', 0, false), note(3, 'c', 0, true), note(4, 'b', 1, true))).toEqual([])
    expect(held(note(2, 'b', 0, false), note(4, 'b', 1, false))).toEqual([2, 4])
  })

  it('that lost, repeated or borrowed a block never becomes whole', () => {
    expect(held(note(2, 'b', 0, false), note(3, 'b', 2, true))).toEqual([2, 3])
    expect(held(note(2, 'b', 1, true))).toEqual([2])
    expect(held(note(2, 'b', 0, false), note(3, 'b', 1, true, 'another'))).toEqual([2, 3])
    const batches = openBatches([note(2, 'b', 0, false), note(3, 'b', 0, false)])
    noteBatch(batches, note(4, 'b', 1, true))
    expect([...heightsIn(batches)]).toEqual([2, 3, 4])
  })

  it('shows nothing to readers until all of it is there, then all of it', async () => {
    const world = await testDeployment(['hospital-a'])
    const writer = world.connect('hospital-a')
    const { record } = await createRecord(writer, HOME, ['general'])
    const reader = world.connect('hospital-a')
    await writer.append(record, [{ header: utf8('{}'), content: utf8('before'), compartment: 'general' }])
    const many = Array.from({ length: BATCH_ENTRIES + 1 }, (_, i) => ({
      header: utf8('{}'),
      content: utf8(String(i)),
      compartment: 'general',
    }))
    const seen: { opened: number; incomplete: number }[] = []
    const count = async () => {
      const view = await reader.read(record)
      seen.push({
        opened: view.opened.length,
        incomplete: view.closed.filter(({ status }) => status === 'incomplete').length,
      })
    }
    const watching = world.connect('hospital-a', {
      fetch: async (request) => {
        if (request.method === 'POST') await count()
        return world.fetch(request)
      },
    })
    await watching.append(record, many)
    await count()
    expect(seen).toEqual([
      { opened: 1, incomplete: 0 },
      { opened: 1, incomplete: BATCH_ENTRIES },
      { opened: BATCH_ENTRIES + 2, incomplete: 0 },
    ])
    const view = await reader.read(record)
    expect(view.opened.map(({ content }) => new TextDecoder().decode(content)).slice(1)).toEqual(
      many.map((_, i) => String(i)),
    )
  })

  it('whose sender vanished stays incomplete, and what is sent again is not mistaken for its rest', async () => {
    const world = await testDeployment(['hospital-a'])
    const cut = { after: Number.POSITIVE_INFINITY, appends: 0 }
    const writer = world.connect('hospital-a', {
      fetch: async (request) => {
        if (request.url.endsWith('/v1/blocks') && cut.appends++ >= cut.after) throw new Error('gone')
        return world.fetch(request)
      },
    })
    const { record } = await createRecord(writer, HOME, ['general'])
    const many = Array.from({ length: BATCH_ENTRIES + 1 }, (_, i) => ({
      header: utf8('{}'),
      content: utf8(String(i)),
      compartment: 'general',
    }))
    cut.after = cut.appends + 1
    await expect(writer.append(record, many)).rejects.toMatchObject({
      code: 'UPSTREAM_FAILED',
    })
    cut.after = Number.POSITIVE_INFINITY
    await world.connect('hospital-a').append(record, many)
    const view = await world.connect('hospital-a').read(record)
    expect({
      opened: view.opened.length,
      closed: new Set(view.closed.map(({ status }) => status)),
      held: view.closed.length,
    }).toEqual({
      opened: BATCH_ENTRIES + 1,
      closed: new Set(['incomplete']),
      held: BATCH_ENTRIES,
    })
  })
})
