// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { decodeAppend, type Append } from '#core/api/append.ts'
import type { Block } from '#core/block/block.ts'
import { parseBlock, signBlock } from '#core/block/open-block.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { select } from '#core/ports/needs.ts'
import { auditChains, listChains } from '#core/server/audit/audit.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import { heightKey, objectName, rowKey } from '#core/server/store/rows.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A record, a key of its institution that is revoked since, and what that key could still sign. */
async function scene() {
  const world = await testDeployment()
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  await a.append(record, [entry('one')])
  const { second } = world.institution('hospital-a')
  const thief = world.connect('hospital-a', {
    signer: second,
    fetch: (request) => caught(world, request, sent),
  })
  const sent: Append[] = []
  const before = (await world.home.registry.refresh()).newest().head
  await thief.append(record, [entry('forged')]).catch(() => null)
  await world.change('hospital-a', [
    { act: 'revoke', kid: second.kid, reason: 'compromised', suspectFrom: null },
  ])
  const newest = (await world.home.registry.refresh()).newest().head
  const [forged] = sent
  if (!forged) throw new Error('nothing was signed')
  return { world, a, record, second, before, newest, forged }
}

async function caught(world: TestDeployment, request: Request, sent: Append[]): Promise<Response> {
  if (request.method !== 'POST') return world.fetch(request)
  sent.push(decodeAppend(new Uint8Array(await request.arrayBuffer())))
  return new Response(null, { status: 422 })
}

type Scene = Awaited<ReturnType<typeof scene>>

/** What was caught, signed again for the place after the newest block. */
async function forgery({ a, record, second, forged }: Scene, given: Partial<Block>): Promise<Append> {
  const { opened } = (await a.replica(record)).link
  const { block } = parseBlock(forged.block)
  const place = { height: opened.block.height + 1, prev: opened.id, time: opened.block.time }
  return { ...forged, block: (await signBlock({ ...block, ...place, ...given } as Block, second)).compact }
}

/** A home that stores whatever it is given, without looking. */
async function collude({ world, record }: Scene, { block, row, object }: Append): Promise<void> {
  const { platform } = world
  const parsed = parseBlock(block).block
  if (!parsed.entries || row === null || !object) throw new Error('entries are expected')
  await platform.objects('entries').store(objectName(record, parsed.entries.root), object)
  await platform.table('wraps').insert(record, rowKey(parsed.entries), utf8(row))
  await platform.table('blocks').insert(record, heightKey(parsed.height), utf8(block))
}

describe('a revoked key', () => {
  it('is refused whatever head and time it names, as long as the home looks', async () => {
    const at = await scene()
    const past = toTimestamp(at.world.clock.now - 60_000)
    for (const given of [
      { registry: at.newest },
      { registry: at.before },
      { registry: at.before, time: past },
    ]) {
      await expect(at.a.api.append(await forgery(at, given))).rejects.toMatchObject({
        code: expect.stringMatching(/^(VIOLATION|BLOCK_REFUSED)$/),
      })
    }
  })

  it.each([
    ['author', 'the head that revokes it', (at: Scene) => ({ registry: at.newest })],
    ['registry-height', 'the head before', (at: Scene) => ({ registry: at.before })],
    [
      'time',
      'the head before and a time before',
      (at: Scene) => ({ registry: at.before, time: toTimestamp(at.world.clock.now - 60_000) }),
    ],
    [
      'registry-head',
      'a head of its own',
      (at: Scene) => ({ registry: { ...at.before, height: at.newest.height } }),
    ],
  ])('breaks the rule %s with %s, once one block names the head that revokes it', async (rule, _, given) => {
    const at = await scene()
    // One that has just read the registry: a client that has not may name the head before for 300 s.
    await at.world.connect('hospital-a').append(at.record, [entry('two')])
    await collude(at, await forgery(at, given(at)))
    await expect(at.world.connect('hospital-a').read(at.record)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining(`rule ${rule}: block 4`),
    })
    const ports = await select(at.world.platform, AUDITOR_NEEDS)
    const { findings } = await auditChains(ports, at.world.home, listChains(ports))
    expect(findings).toMatchObject([{ height: 4, status: 'tampered', rule }])
  })
})
