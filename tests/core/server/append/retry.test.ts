// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { encodeAppend, APPEND_TYPE } from '#core/api/append.ts'
import { parseHead } from '#core/api/head.ts'
import { parseBlock, signBlock } from '#core/block/open-block.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { AmpereError } from '#core/errors.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A block as somebody finds it in an export, with nothing of what it brought, and no credential. */
function replayed(world: TestDeployment, block: string): Promise<Response> {
  const body = encodeAppend({ block, row: null, packages: [], labelKey: null, object: null })
  const init = { method: 'POST', headers: { 'content-type': APPEND_TYPE }, body }
  return world.fetch(new Request(`${ORIGIN}/v1/blocks`, init))
}

describe('a stored block that is sent again', () => {
  let world: TestDeployment
  let a: Connection
  let record: ChainId
  let blocks: readonly string[]
  beforeAll(async () => {
    world = await testDeployment(['hospital-a'])
    a = world.connect('hospital-a')
    ;({ record } = await createRecord(a, HOME, ['general']))
    await a.append(record, [entry('one')])
    await a.append(record, [entry('two')])
    blocks = (await a.api.blocks(record, 0)).items
  })

  it('is answered with itself alone, unless it is the newest: whoever has it learns of no later one', async () => {
    for (const block of blocks.slice(0, -1)) {
      const answer = await replayed(world, block)
      expect(answer.status).toBe(201)
      expect(await answer.json()).toEqual({ block, head: null })
    }
  })

  it('gets a head statement of its own, of now, while it is the newest', async () => {
    const [newest = ''] = blocks.slice(-1)
    world.clock.now += 60_000
    const { block, head } = (await (await replayed(world, newest)).json()) as { block: string; head: string }
    expect(block).toBe(newest)
    const { id, chain, block: at } = parseBlock(newest)
    expect(parseHead(head).head).toMatchObject({
      chain,
      height: at.height,
      block: id,
      time: new Date(world.clock.now).toISOString(),
    })
  })

  it('is refused at a height that does not follow, without saying which would', async () => {
    const { block } = parseBlock(blocks.at(-1) ?? '')
    const { signer } = a.ports.identity
    const far = await signBlock({ ...block, height: block.height + 7 }, signer)
    const refused = await replayed(world, far.compact)
    const text = await refused.text()
    expect(refused.status).toBe(409)
    expect(JSON.parse(text)).toMatchObject({ code: 'HEAD_CONFLICT' })
    expect(text).toContain(`block ${block.height + 7} does not follow the newest block here`)
  })
})

describe('an author whose answer was lost', () => {
  it('files its entry once, also when somebody else appended meanwhile', async () => {
    const world = await testDeployment(['hospital-a'])
    const other = world.connect('hospital-a', { signer: world.institution('hospital-a').second })
    let lose = false
    let record = '' as ChainId
    const fetch: Fetch = async (request) => {
      const answer = await world.fetch(request)
      if (!lose || request.method !== 'POST') return answer
      lose = false
      await other.append(record, [entry('between')])
      throw new AmpereError('UPSTREAM_FAILED', 'the answer was lost')
    }
    const a = world.connect('hospital-a', { fetch })
    ;({ record } = await createRecord(a, HOME, ['general']))
    lose = true
    const filed = await a.append(record, [entry('mine')])
    const { notes } = await a.replica(record)
    expect(notes).toHaveLength(4)
    expect(filed).toMatchObject([{ height: 2, block: notes[2]?.id }])
  })

  it('finds its block stored when it sends the same again, whatever came after it', async () => {
    const world = await testDeployment(['hospital-a'])
    const sent: Request[] = []
    const a = world.connect('hospital-a', {
      fetch: (request) => {
        if (request.method === 'POST') sent.push(request.clone())
        return world.fetch(request)
      },
    })
    const { record } = await createRecord(a, HOME, ['general'])
    await a.append(record, [entry('one')])
    await a.append(record, [entry('two')])
    const before = (await a.replica(record)).notes.length
    for (const request of sent) expect((await world.fetch(request)).status).toBe(201)
    expect((await a.replica(record)).notes).toHaveLength(before)
  })
})
