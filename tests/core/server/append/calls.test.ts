// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { countCalls } from '#adapters/around/counts.ts'
import { APPEND_TYPE, encodeAppend } from '#core/api/append.ts'
import { parseHead } from '#core/api/head.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { revokeElsewhere } from '../revoke-elsewhere.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** What every append reads: the newest block, the state after it, and what the registry has beyond what is known. */
const READS = { 'table.blocks.range': 1, 'table.registry.range': 1, 'table.states.get': 1 }

describe('an append', () => {
  const counted: { calls?: ReturnType<typeof countCalls> } = {}
  let world: TestDeployment
  let record: ChainId
  /** The calls for each request that appended a block, and the answers. */
  let appends: { readonly calls: Readonly<Record<string, number>>; readonly answer: Response }[] = []
  let a: Connection
  beforeAll(async () => {
    world = await testDeployment(['hospital-a'], {
      platform: (base) => (counted.calls = countCalls(base)).platform,
    })
    a = world.connect('hospital-a', {
      fetch: async (request) => {
        counted.calls?.reset()
        const answer = await world.fetch(request)
        const isAppend = request.method === 'POST' && new URL(request.url).pathname === '/v1/blocks'
        if (isAppend) appends.push({ calls: counted.calls?.counts() ?? {}, answer: answer.clone() })
        return answer
      },
    })
    ;({ record } = await createRecord(a, HOME, ['general']))
  })
  const callsOf = async (act: () => Promise<unknown>) => {
    appends = []
    await act()
    return appends.map(({ calls }) => calls)
  }

  it('takes three reads, four writes and one signature, at every height', async () => {
    const expected = {
      ...READS,
      'table.dirty.insert': 1,
      'table.wraps.insert': 1,
      'objects.entries.store': 1,
      'table.blocks.insert': 1,
      'key.head.sign': 1,
    }
    expect(await callsOf(() => a.append(record, [entry('early')]))).toEqual([expected])
    for (let i = 0; i < 20; i++) await a.append(record, [entry(`between ${i}`)])
    expect(await callsOf(() => a.append(record, [entry('late')]))).toEqual([expected])
  })

  it('writes one row more where the control state changes, beside what entries take', async () => {
    expect(await callsOf(() => changeChain(a, record, { hold: true }))).toEqual([
      {
        ...READS,
        'table.dirty.insert': 1,
        'table.states.insert': 1,
        'table.blocks.insert': 1,
        'key.head.sign': 1,
      },
    ])
  })

  it('reads the registry once when the block was there already', async () => {
    const [block = ''] = (await a.api.blocks(record, 0)).items.slice(-1)
    const body = encodeAppend({ block, row: null, packages: [], labelKey: null, object: null })
    counted.calls?.reset()
    const init = { method: 'POST', headers: { 'content-type': APPEND_TYPE }, body }
    expect((await world.fetch(new Request(`${ORIGIN}/v1/blocks`, init))).status).toBe(201)
    expect(counted.calls?.counts()['table.registry.range']).toBe(1)
  })

  it('is answered with a statement that names the newest registry head, also one of a moment ago', async () => {
    const before = (await world.home.registry.refresh()).newest().head
    await revokeElsewhere(world)
    appends = []
    await a.append(record, [entry('after it')])
    const [appended] = appends
    if (!appended) throw new Error('nothing was appended')
    const { head } = (await appended.answer.json()) as { head: string }
    expect(parseHead(head).head.registry).toMatchObject({ height: before.height + 1 })
  })
})

describe('an append by a key that was revoked a moment ago', () => {
  it('is refused by a home whose registry another process wrote to, though its block names a fresh registry', async () => {
    const world = await testDeployment(['hospital-a'])
    const { record } = await createRecord(world.connect('hospital-a'), HOME, ['general'])
    const { second } = world.institution('hospital-a')
    let revokes = false
    const fetch: Fetch = async (request) => {
      if (revokes && request.method === 'POST') await revokeElsewhere(world)
      return world.fetch(request)
    }
    const connection = world.connect('hospital-a', { signer: second, fetch })
    await connection.append(record, [entry('before it')])
    revokes = true
    await expect(connection.append(record, [entry('after it')])).rejects.toMatchObject({
      code: 'BLOCK_REFUSED',
      message: expect.stringContaining('revoked in the newest registry head'),
    })
  })
})
