// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import type { Timestamp } from '#core/bytes/timestamp.ts'
import { decodeAppend, type Append } from '#core/api/append.ts'
import type { Block } from '#core/block/block.ts'
import { parseBlock, signBlock } from '#core/block/open-block.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Signer } from '#core/ports/keys.ts'
import { heightKey, objectName, rowKey } from '#core/server/store/rows.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

export const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
export const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/**
 * A record, a key of its institution that is revoked since, and what that key could still sign.
 * @param filed what the key filed, and the home logged, before anything was the matter
 */
export async function revokedScene(
  given: TestDeployment | null = null,
  suspectFrom: Timestamp | null = null,
  filed: readonly string[] = [],
) {
  const world = given ?? (await testDeployment())
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  await a.append(record, [entry('one')])
  const { second } = world.institution('hospital-a')
  for (const text of filed)
    await world.connect('hospital-a', { signer: second }).append(record, [entry(text)])
  if (filed.length > 0) await world.tendLog()
  const thief = world.connect('hospital-a', {
    signer: second,
    fetch: (request) => caught(world, request, sent),
  })
  const sent: Append[] = []
  const before = (await world.home.registry.refresh()).newest().head
  await thief.append(record, [entry('forged')]).catch(() => null)
  await world.change('hospital-a', [{ act: 'revoke', kid: second.kid, reason: 'compromised', suspectFrom }])
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

export type RevokedScene = Awaited<ReturnType<typeof revokedScene>>

/** What was caught, signed again for the place after the newest block, by the revoked key or another. */
export async function forgery(
  { a, record, second, forged }: RevokedScene,
  given: Partial<Block>,
  signer: Signer = second,
): Promise<Append> {
  const { opened } = (await a.replica(record)).link
  const { block } = parseBlock(forged.block)
  const place = { height: opened.block.height + 1, prev: opened.id, time: opened.block.time }
  return { ...forged, block: (await signBlock({ ...block, ...place, ...given } as Block, signer)).compact }
}

/** A home that stores whatever it is given, without looking. */
export async function collude(
  { world, record }: RevokedScene,
  { block, row, object }: Append,
): Promise<void> {
  const { platform } = world
  const parsed = parseBlock(block).block
  if (!parsed.entries || row === null || !object) throw new Error('entries are expected')
  await platform.objects('entries').store(objectName(record, parsed.entries.root), object)
  await platform.table('wraps').insert(record, rowKey(parsed.entries), utf8(row))
  await platform.table('blocks').insert(record, heightKey(parsed.height), utf8(block))
}
