// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, asInstitutionId, type ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { memorySeen, ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A record that hospital-a reads while hospital-b appends. */
async function shared() {
  const world = await testDeployment(['hospital-a', 'hospital-b'])
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const institution = asInstitutionId('hospital-b')
  await shareRecord(a, record, { institution, rights: ['append', 'read'] })
  const b = world.connect('hospital-b')
  await b.append(record, [entry('one')])
  return { world, record, b }
}

/** Calls `between` after the answer to the first request whose path ends so is there, before it is given. */
function delayed(fetch: Fetch, end: string, between: () => Promise<unknown>): Fetch {
  let isDone = false
  return async (request) => {
    const answer = await fetch(request)
    if (isDone || !new URL(request.url).pathname.endsWith(end)) return answer
    isDone = true
    await between()
    return answer
  }
}

const texts = (opened: readonly { content: Uint8Array }[]) => opened.map(({ content }) => fromUtf8(content))
const textsOf = async (
  from: ReturnType<Awaited<ReturnType<typeof testDeployment>>['connect']>,
  of: ChainId,
) => texts((await from.read(of)).opened)

describe('a block that is appended while a record is read', () => {
  it('is opened once, between the head and the blocks', async () => {
    const { world, record, b } = await shared()
    const fetch = delayed(world.fetch, '/head', () => b.append(record, [entry('two')]))
    const a = world.connect('hospital-a', { fetch })
    await a.read(record)
    expect(await textsOf(a, record)).toEqual(['one', 'two'])
  })

  it('does not spoil an export', async () => {
    const { world, record, b } = await shared()
    const fetch = delayed(world.fetch, '/head', () => b.append(record, [entry('two')]))
    const file = await exportRecord(world.connect('hospital-a', { fetch }), record)
    await expect(verifyExport(file)).resolves.toMatchObject({ problems: [] })
  })

  it('is no rollback to who reads the same record at the same time, and is opened once', async () => {
    const { world, record, b } = await shared()
    const seen = memorySeen()
    const others: Promise<string[]>[] = []
    const connected = world.connect('hospital-a', {
      seen,
      fetch: delayed(world.fetch, '/head', async () => {
        await b.append(record, [entry('two')])
        others.push(textsOf(connected, record), textsOf(connected, record))
      }),
    })
    expect(await textsOf(connected, record)).toContain('one')
    for (const each of [...others, textsOf(connected, record)]) expect(await each).toEqual(['one', 'two'])
    expect((await seen.load(record))?.height).toBe((await b.read(record)).height)
  })

  it('is no rollback to another process of the same installation', async () => {
    const { world, record, b } = await shared()
    const seen = memorySeen()
    const fetch = delayed(world.fetch, '/head', async () => {
      await b.append(record, [entry('two')])
      await world.connect('hospital-a', { seen }).read(record)
    })
    const a = world.connect('hospital-a', { seen, fetch })
    expect(await textsOf(a, record)).toContain('one')
    expect((await seen.load(record))?.height).toBe((await b.read(record)).height)
  })

  it('of many at once is there once each, whoever appends', async () => {
    const { world, record, b } = await shared()
    const a = world.connect('hospital-a')
    const names = Array.from({ length: 12 }, (_, i) => `n${i}`)
    await Promise.all(
      names.map(async (name, i) => {
        const by = i % 2 === 0 ? a : b
        await by.append(record, [entry(name)])
        await by.read(record)
      }),
    )
    for (const by of [a, b, world.connect('hospital-a')])
      expect((await textsOf(by, record)).toSorted()).toEqual([...names, 'one'].toSorted())
  })
})
