// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { concat, uint32 } from '#core/bytes/frame.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { RecordView } from '#core/client/client.ts'
import { readView } from '#core/client/read/read-view.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { fileDeflated } from './hostile-block.ts'

const MIB = 1024 * 1024
const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })
const closedOf = (view: RecordView) =>
  view.closed.map(({ height, index, status, rule }) => `${height}.${index} ${status} ${rule}`)
const openedOf = (view: RecordView) => view.opened.map(({ content }) => fromUtf8(content.subarray(0, 20)))

/** A record of hospital-a that hospital-b may write and read as well. */
async function scene() {
  const world = await testDeployment()
  const [a, b] = [world.connect('hospital-a'), world.connect('hospital-b')]
  const { record } = await createRecord(a, HOME, ['general'])
  const compartments = (await a.replica(record)).link.state.compartments.map(({ id }) => id)
  const { id } = world.institution('hospital-b')
  const grant = {
    institution: id,
    rights: ['append' as const, 'read' as const],
    compartments,
    until: null,
    limits: null,
  }
  await changeChain(a, record, { grant: [grant] })
  return { world, a, b, record }
}

const readAnew = (world: TestDeployment, record: ChainId) => world.connect('hospital-a').read(record)

describe('a block whose few bytes inflate to very many', () => {
  it('is named entry by entry, and everything else stays readable', async () => {
    const { world, a, b, record } = await scene()
    await a.append(record, [entry('before')])
    const bomb = new Uint8Array(8 * MIB)
    const hostile = { connection: b, institution: 'hospital-b' }
    const small = concat(uint32(2), utf8('{}'), utf8('small'.repeat(100)))
    const { sealedBytes } = await fileDeflated(world, hostile, record, [
      ...Array.from({ length: 8 }, () => bomb),
      small,
    ])
    expect(sealedBytes).toBeLessThan(MIB)
    await a.append(record, [entry('after')])
    const view = await readAnew(world, record)
    expect(closedOf(view)).toEqual(
      Array.from({ length: 8 }, (_, i) => `${view.height - 1}.${i} unopenable author-seal`),
    )
    expect(openedOf(view)).toEqual(['before', 'smallsmallsmallsmall', 'after'])
  })

  it('opens up to 64 MiB of it, in order, where each entry by itself is within its limit', async () => {
    const { world, b, record } = await scene()
    // Deflated about 50-fold: within what an entry may be.
    const large = concat(uint32(0), world.random(MIB / 2), new Uint8Array(24 * MIB))
    const small = concat(uint32(2), utf8('{}'), utf8('small'.repeat(100)))
    const hostile = { connection: b, institution: 'hospital-b' }
    await fileDeflated(world, hostile, record, [large, large, large, large, small])
    const view = await readAnew(world, record)
    expect(closedOf(view)).toEqual([2, 3].map((i) => `${view.height}.${i} unopenable block-size`))
    expect(view.opened.map(({ index }) => index)).toEqual([0, 1, 4])
  })
})

describe('what a reader holds of one author', () => {
  const read = async (world: TestDeployment, record: ChainId, maxBytes: number) => {
    const reader = world.connect('hospital-a')
    const replica = await reader.replica(record)
    const keyring = await reader.keyring(replica)
    return { reader, keyring, view: await readView(reader.api, replica, keyring, null, maxBytes) }
  }
  /** Plain bytes of `entry('1234')`: length, header, content. */
  const BYTES = 10

  it('has a limit, beyond which entries are named, and which others do not feel', async () => {
    const { world, a, b, record } = await scene()
    await b.append(record, [entry('b001'), entry('b002')])
    await a.append(record, [entry('a001')])
    await b.append(record, [entry('b003'), entry('b004')])
    await a.append(record, [entry('a002')])
    const { view } = await read(world, record, 3 * BYTES)
    expect(openedOf(view)).toEqual(['b001', 'b002', 'a001', 'b003', 'a002'])
    expect(closedOf(view)).toEqual([`${view.height - 1}.1 unopenable reader-budget`])
  })

  it('is the same whether it was read at once or as it came', async () => {
    const { world, a, b, record } = await scene()
    await b.append(record, [entry('b001'), entry('b002')])
    const { reader, keyring, view } = await read(world, record, 3 * BYTES)
    expect(closedOf(view)).toEqual([])
    await b.append(record, [entry('b003')])
    await b.append(record, [entry('b004')])
    await a.append(record, [entry('a001')])
    const later = await readView(reader.api, await reader.replica(record), keyring, view, 3 * BYTES)
    const { view: atOnce } = await read(world, record, 3 * BYTES)
    expect(closedOf(later)).toEqual([`${later.height - 1}.0 unopenable reader-budget`])
    expect([openedOf(later), closedOf(later)]).toEqual([openedOf(atOnce), closedOf(atOnce)])
  })
})
