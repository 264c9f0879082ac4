// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { failAt, withFaults } from '#adapters/around/faults.ts'
import { openMemory } from '#adapters/memory/open.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import type { MovedAnswer } from '#core/api/answers.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { copyOf, KEEPER_NEEDS, MIRROR_NEEDS } from '#core/server/mirror/copy-of.ts'
import { mirrorSource } from '#core/server/mirror/home-source.ts'
import { mirrorChains } from '#core/server/mirror/mirror.ts'
import { READER_NEEDS } from '#core/server/read/read-chain.ts'
import { receiptFinder } from '#core/server/read/receipt.ts'
import { RESTORE_NEEDS } from '#core/server/restore/needs.ts'
import { restoreHome } from '#core/server/restore/restore.ts'
import { keepMovedReceipt, movedOf, movedPage, movedReceipts } from '#core/server/store/moved-receipts.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { silentLog, silentTelemetry } from '#functions/host/telemetry.ts'
import { keeperApp } from '#functions/keeper/app.ts'
import { seededRandom } from '#tests/deployment.ts'
import { FAULTS } from '#tests/fault/each-call.ts'
import { entry, HOME } from '../attempts.ts'
import { logKeysOf } from '../cosign/witnessed-world.ts'
import { movedWorld, NEW_HOME, type MovedWorld } from './moved-world.ts'

const OWN = 'http://mirror.test'

/** A mirror of the second home, of the institution hospital-b. */
async function mirrorOf(moved: MovedWorld, platform: Platform, fetch: Fetch) {
  const { id: institution, instance } = moved.world.institution('hospital-b')
  const ports = {
    ...(await select({ ...platform, fetch }, { ...MIRROR_NEEDS, keys: {} })),
    keys: { instance, head: await moved.platform.signer('head') },
  }
  const home = {
    ...NEW_HOME,
    registry: moved.world.registryId,
    logKeys: await logKeysOf(moved.platform, NEW_HOME.origin),
    policy: moved.policy,
    own: OWN,
    institution,
    backupDays: 0,
    verifiers: createVerifiers(),
  }
  return { run: () => mirrorChains(ports, home), copy: copyOf(ports, NEW_HOME.deployment) }
}

describe('a mirror of a home to which a chain came from another one', () => {
  let moved: MovedWorld
  let record: ChainId
  let served: Fetch
  const fresh = () => openMemory({ now: () => moved.clock.now, random: seededRandom(21) })
  const kept = () => movedReceipts(moved.platform.table('receipts'), record)
  beforeAll(async () => {
    moved = await movedWorld()
    const a = moved.world.connect('hospital-a', { policy: moved.policy })
    record = (await createRecord(a, HOME, ['general'])).record
    await a.append(record, [entry('one')])
    await shareRecord(a, record, { institution: moved.world.institution('hospital-b').id, rights: ['hold'] })
    await moved.world.tendLog()
    await moved.move(a, [record])
    served = (await moved.serve()).fetch
  })

  it('has the receipts of the log that the chain left, also where any one call failed', async () => {
    expect((await kept()).receipts).toHaveLength(4)
    let calls = 0
    for (const fault of FAULTS)
      for (let k = 0; ; k++) {
        const faults = withFaults(fresh())
        const mirror = await mirrorOf(moved, faults.platform, served)
        faults.plan(failAt(k, fault))
        await mirror.run().catch(() => {})
        calls = faults.calls().length
        if (calls <= k) break
        faults.plan(() => null)
        await mirror.run()
        expect({ fault, k, has: await movedReceipts(mirror.copy.tables.receipts, record) }).toEqual({
          fault,
          k,
          has: await kept(),
        })
      }
    expect(calls).toBeGreaterThan(20)
  }, 120_000)

  it('is given them in pages, of which each has both levels of a height or none', async () => {
    const first = await moved.left.findReceipt(record, 2)
    if (!first) throw new Error('there is no receipt')
    const table = fresh().table('receipts')
    const given = Array.from({ length: 301 }, (_, k) => ({
      height: Math.floor(k / 2) + 1,
      level: k % 2 === 0 ? ('logged' as const) : ('witnessed' as const),
      proof: first.proof,
    }))
    for (const { height, ...each } of given) await keepMovedReceipt(table, record, height, each)
    const all: typeof given = []
    const sizes: number[] = []
    for (let from: number | null = 0; from !== null;) {
      const { items, next }: MovedAnswer = await movedPage(table, record, from)
      all.push(...items)
      sizes.push(items.length)
      from = next
    }
    expect(all).toEqual(given)
    expect(sizes).toEqual([100, 100, 100, 1])
    expect(movedOf(all)).toEqual(await movedReceipts(table, record))
  })

  it('asks for them again where the home did not answer', async () => {
    let isDown = true
    const mirror = await mirrorOf(moved, fresh(), async (request) =>
      isDown && request.url.includes('/moved') ? new Response(null, { status: 503 }) : served(request),
    )
    await expect(mirror.run()).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    isDown = false
    await mirror.run()
    expect(await movedReceipts(mirror.copy.tables.receipts, record)).toEqual(await kept())
  })

  it.each([
    ['of heights that the chain has not there', { height: 4 }],
    ['of heights that there are not', { height: 900 }],
  ])('keeps none %s', async (_, change) => {
    const mirror = await mirrorOf(moved, fresh(), async (request) => {
      const answer = await served(request)
      if (!request.url.includes('/moved')) return answer
      const { items } = (await answer.json()) as { items: { height: number }[] }
      return Response.json({ items: items.map((item) => ({ ...item, ...change })), next: null })
    })
    await mirror.run()
    expect((await movedReceipts(mirror.copy.tables.receipts, record)).receipts).toEqual([])
  })

  it('ends a run whose home gives receipts that are none, or without end', async () => {
    for (const answer of [
      { items: [{ height: 0, level: 'logged', proof: 'none' }], next: null },
      { items: [], next: 1 },
      { items: [], next: 0 },
    ]) {
      const mirror = await mirrorOf(moved, fresh(), async (request) =>
        request.url.includes('/moved') ? Response.json(answer) : served(request),
      )
      await expect(mirror.run()).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' })
    }
  })

  it('gives them to the home that is restored from its server, which gives them again', async () => {
    const platform = fresh()
    const mirror = await mirrorOf(moved, platform, served)
    await mirror.run()
    const hosting = {
      now: () => moved.clock.now,
      random: seededRandom(22),
      log: silentLog,
      telemetry: silentTelemetry,
    }
    const own = { ...moved.home, origin: OWN }
    const homes = () => [{ ...NEW_HOME, registry: moved.world.registryId }]
    const app = keeperApp(await select(platform, KEEPER_NEEDS), own, homes, hosting)
    const { instance } = moved.world.institution('hospital-a')
    const asking = {
      fetch: async (request: Request) => app.fetch(request),
      now: () => moved.clock.now,
      random: seededRandom(23),
      signer: instance,
      deadline: (ms: number) => AbortSignal.timeout(ms),
    }
    const back: Platform = { ...fresh(), signer: (name) => moved.platform.signer(name) }
    const { pinned } = moved.home.registry
    const registry = createRegistrySource(back.table('registry'), pinned, createVerifiers())
    const source = mirrorSource(asking, OWN, NEW_HOME.deployment)
    const options = { seen: [], policy: moved.policy, acceptLoss: true }
    await restoreHome(source, await select(back, RESTORE_NEEDS), { ...moved.home, registry }, options)
    expect(await movedReceipts(back.table('receipts'), record)).toEqual(await kept())
    const find = receiptFinder(await select(back, READER_NEEDS), moved.policy)
    const first = await moved.left.findReceipt(record, 2)
    expect(first?.level).toBe('witnessed')
    expect(await find(record, 2)).toEqual(first)
  })
})
