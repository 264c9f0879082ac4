// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { utf8 } from '#core/bytes/encoding.ts'
import { asChainId, type BlockId, type ChainId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { bridgeStore, openErased, signErased, type ErasedStatement } from '#core/api/erased.ts'
import { authorize } from '#core/api/request.ts'
import type { Grant } from '#core/block/block.ts'
import { signJws } from '#core/block/jws.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import type { Signer } from '#core/ports/keys.ts'
import { erasureJob, JOBS_ERASE } from '#core/server/store/jobs.ts'
import { ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { entry, HOME } from './attempts.ts'

const NAMES = ['hospital-a', 'hospital-b', 'hospital-c', 'hospital-d']

interface Erased {
  readonly world: TestDeployment
  readonly record: ChainId
  readonly requested: BlockId
  readonly completed: BlockId
}

/** A record whose one entry was erased: b may read it, c could when it was filed, d never had a part in it. */
async function erased(): Promise<Erased> {
  const world = await testDeployment(NAMES)
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const compartments = (await a.replica(record)).link.state.compartments.map((item) => item.id)
  const grant = (name: string): Grant => ({
    institution: world.institution(name).id,
    rights: ['read'],
    compartments,
    until: null,
    limits: null,
  })
  await changeChain(a, record, { grant: [grant('hospital-c')] })
  await a.append(record, [entry('one')])
  await changeChain(a, record, { revoke: [world.institution('hospital-c').id], grant: [grant('hospital-b')] })
  const { instance, second } = world.institution('hospital-a')
  const entries = (await a.read(record)).opened
  const what = { scope: 'entries' as const, entries, ground: 'misfiled' as const }
  const requested = await requestErasure(a, record, what, { instances: [instance, second] })
  // What is left of another completion that lost this height to the request.
  const lost = erasureJob(record, requested.block.height)
  await world.platform.table('jobs').insert(JOBS_ERASE, lost, utf8('lost'))
  world.clock.now += 73 * 3_600_000
  const completed = await settleErasure(a, record, requested.block.height, 'complete')
  return { world, record, requested: requested.id, completed: completed.id }
}

function statementOf({ world, record, completed }: Erased, name: string): ErasedStatement {
  return {
    v: 1,
    chain: record,
    block: completed,
    store: bridgeStore(world.institution(name).id),
    at: toTimestamp(world.clock.now),
    backupsExpire: toTimestamp(world.clock.now + 35 * 86_400_000),
  }
}

async function handIn(
  { world }: Erased,
  chain: ChainId,
  compact: string,
  type = 'application/jose',
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await world.fetch(
    new Request(new URL(`/v1/chains/${chain}/erased`, ORIGIN), {
      method: 'POST',
      headers: { 'content-type': type },
      body: compact,
    }),
  )
  const { requestId: _, ...body } = (await response.json()) as Record<string, unknown>
  return { status: response.status, body }
}

async function list(
  { world, record }: Erased,
  from?: string,
): Promise<{ items: string[]; next: string | null }> {
  const url = new URL(`/v1/chains/${record}/erased${from === undefined ? '' : `?from=${from}`}`, ORIGIN)
  const { instance: signer } = world.institution('hospital-a')
  const ports = { now: () => world.clock.now, random: world.random, signer }
  const authorization = await authorize({ method: 'GET', url, body: new Uint8Array(0) }, ports)
  const response = await world.fetch(new Request(url, { headers: { authorization } }))
  if (response.status !== 200) throw new Error(`answered ${response.status}`)
  return (await response.json()) as { items: string[]; next: string | null }
}

let shared: Erased
beforeAll(async () => {
  shared = await erased()
})

describe('a statement of a holder that its copy is gone', () => {
  it('is kept beside that of the home, once, however often and by whichever of its keys it is handed in', async () => {
    const at = await erased()
    const { instance, second } = at.world.institution('hospital-b')
    const compact = await signErased(statementOf(at, 'hospital-b'), instance)
    expect(await handIn(at, at.record, compact)).toEqual({ status: 201, body: { statement: compact } })
    at.world.clock.now += 3_600_000
    for (const signer of [instance, second]) {
      const again = await signErased(statementOf(at, 'hospital-b'), signer)
      expect(await handIn(at, at.record, again)).toEqual({ status: 200, body: { statement: compact } })
    }
    const { items, next } = await list(at)
    expect({ count: items.length, last: items[1], next }).toEqual({ count: 2, last: compact, next: null })
    const home = await at.world.platform.signer('head')
    expect(await openErased(items[0] ?? '', home.publicKey, at.world.home.verifiers)).toMatchObject({
      block: at.completed,
      store: ORIGIN,
    })
  })

  it('is taken from a reader that had the entry and was removed since', async () => {
    const at = shared
    const compact = await signErased(
      statementOf(at, 'hospital-c'),
      at.world.institution('hospital-c').instance,
    )
    expect((await handIn(at, at.record, compact)).status).toBe(201)
  })

  it('of one that never had a part in the chain is answered as if there were no such chain', async () => {
    const at = shared
    const { instance } = at.world.institution('hospital-d')
    const here = await handIn(at, at.record, await signErased(statementOf(at, 'hospital-d'), instance))
    const unknown = asChainId('A'.repeat(43))
    const elsewhere = { ...statementOf(at, 'hospital-d'), chain: unknown }
    expect(here).toEqual(await handIn(at, unknown, await signErased(elsewhere, instance)))
    expect(here).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } })
  })

  const cases: readonly [string, number, string, (at: Erased) => [Partial<ErasedStatement>, Signer?]][] = [
    [
      "for another holder's store",
      403,
      'FORBIDDEN',
      (at) => [{ store: bridgeStore(at.world.institution('hospital-a').id) }],
    ],
    ["for the home's store", 403, 'FORBIDDEN', () => [{ store: ORIGIN }]],
    [
      'for a block that only asks for an erasure',
      422,
      'VERIFICATION_FAILED',
      (at) => [{ block: at.requested }],
    ],
    ['for no block of the chain', 422, 'VERIFICATION_FAILED', () => [{ block: 'A'.repeat(43) as BlockId }]],
    ['for another chain', 400, 'REQUEST_MALFORMED', () => [{ chain: asChainId(`${'B'.repeat(42)}A`) }]],
    [
      'of the future',
      422,
      'CLOCK_SKEW',
      (at) => [
        {
          at: toTimestamp(at.world.clock.now + 600_000),
          backupsExpire: toTimestamp(at.world.clock.now + 600_000),
        },
      ],
    ],
    [
      'from before the erasure',
      422,
      'VERIFICATION_FAILED',
      (at) => [{ at: toTimestamp(at.world.clock.now - 600_000) }],
    ],
    [
      'whose backups were gone before',
      400,
      'REQUEST_MALFORMED',
      (at) => [{ backupsExpire: toTimestamp(at.world.clock.now - 1) }],
    ],
    [
      'by a key that only signs registry blocks',
      401,
      'UNAUTHORIZED',
      (at) => [{}, at.world.institution('hospital-b').root],
    ],
  ]
  it.each(cases)('%s is refused with %i %s', async (_, status, code, change) => {
    const at = shared
    const [changed, signer = at.world.institution('hospital-b').instance] = change(at)
    const compact = await signErased({ ...statementOf(at, 'hospital-b'), ...changed }, signer)
    expect(await handIn(at, at.record, compact)).toMatchObject({ status, body: { code } })
  })

  it('is refused when it is another kind of statement, has a member too many, is forged, or is no JWS at all', async () => {
    const at = shared
    const { instance } = at.world.institution('hospital-b')
    const payload = statementOf(at, 'hospital-b')
    const good = await signErased(payload, instance)
    const forged = await signErased(payload, at.world.institution('hospital-d').instance)
    const signature = forged.slice(forged.lastIndexOf('.'))
    for (const [compact, status, code] of [
      [await signJws('ampere-head+jws', payload, instance), 400, 'JWS_MALFORMED'],
      [await signJws('ampere-erased+jws', { ...payload, note: 1 }, instance), 400, 'REQUEST_MALFORMED'],
      [good.slice(0, good.lastIndexOf('.')) + signature, 422, 'SIGNATURE_INVALID'],
      ['x', 400, 'JWS_MALFORMED'],
      ['x'.repeat(9000), 413, 'TOO_LARGE'],
    ] as const)
      expect(await handIn(at, at.record, compact)).toMatchObject({ status, body: { code } })
    expect(await handIn(at, at.record, good, 'text/plain')).toMatchObject({ status: 415 })
    expect((await list(at)).items.filter((item) => item === good)).toEqual([])
  })

  it('is refused from a key that was revoked', async () => {
    const at = await erased()
    const { instance } = at.world.institution('hospital-b')
    const compact = await signErased(statementOf(at, 'hospital-b'), instance)
    await at.world.change('hospital-b', [
      { act: 'revoke', kid: instance.kid, reason: 'compromised', suspectFrom: null },
    ])
    expect(await handIn(at, at.record, compact)).toMatchObject({
      status: 401,
      body: { code: 'UNAUTHORIZED' },
    })
  })
})

describe('the list of statements', () => {
  it('comes in pages', async () => {
    const at = await erased()
    const receipts = at.world.platform.table('receipts')
    await receipts.insert(at.record, 'other/1', utf8('no statement'))
    for (let i = 0; i < 210; i++)
      await receipts.insert(at.record, `erased/9${String(i).padStart(15, '0')}`, utf8(`statement ${i}`))
    const items: string[] = []
    const sizes: number[] = []
    for (let page = await list(at); ; page = await list(at, page.next ?? '')) {
      items.push(...page.items)
      sizes.push(page.items.length)
      if (page.next === null) break
    }
    expect(sizes).toEqual([200, 11])
    expect(new Set(items).size).toBe(211)
    await expect(list(at, 'AAAA')).rejects.toThrow('answered 400')
  })
})
