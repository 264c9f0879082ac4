// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openMemory } from '#adapters/memory/open.ts'
import type { HeadAnswer } from '#core/api/answers.ts'
import { parseHead, signHead } from '#core/api/head.ts'
import { asDeploymentId, type ChainId, type Digest } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { connect } from '#core/client/connect.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { storedSource, type HomeSource } from '#core/server/copy/source.ts'
import { COPIED, type ReadStores } from '#core/server/copy/stores.ts'
import { copyOf, MIRROR_NEEDS } from '#core/server/mirror/copy-of.ts'
import { mirrorChains } from '#core/server/mirror/mirror.ts'
import { readMirrored } from '#core/server/mirror/statement.ts'
import { createRegistrySource, REGISTRY_PARTITION } from '#core/server/store/registry.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { logKeysOf } from '#tests/core/server/cosign/witnessed-world.ts'
import { memorySeen, seededRandom } from '#tests/deployment.ts'
import { deploy, eraseTwo, keysIn, MIRROR_ORIGIN, mirroredScene, type Scene } from './mirrored-scene.ts'

/** Another home of the same registry, of an institution that was a reader of the record. */
const OTHER = { deployment: asDeploymentId('x-1'), origin: 'http://x.test' }
const ERASED = /\/chains\/[^/]+\/erased$/

/** All that a home has, as somebody who can read its stores serves it. */
function sourceOf(platform: Platform): HomeSource {
  const tables = Object.fromEntries(COPIED.map((name) => [name, platform.table(name)]))
  const objects = { entries: platform.objects('entries'), log: platform.objects('log') }
  return storedSource({ tables, objects } as unknown as ReadStores)
}

const found = (bytes: Uint8Array | null) =>
  new Response(bytes?.slice() ?? null, { status: bytes ? 200 : 404 })

describe('a chain of another home', () => {
  let scene: Scene
  let other: Platform
  let statements = 0
  beforeAll(async () => {
    scene = await mirroredScene()
    const { world } = scene
    other = openMemory({ now: () => world.clock.now, random: seededRandom(90) })
    await deploy(scene, 'mirror-m', 'mirror-m-1', MIRROR_ORIGIN, await scene.mirror.signer('head'))
    await deploy(scene, 'hospital-b', OTHER.deployment, OTHER.origin, await other.signer('head'))
  }, 60_000)
  afterAll(() => scene.close())

  /** The other home, which serves the record of this one as its own, without its last blocks. */
  async function foreignHome(left: number) {
    const { world, record } = scene
    const source = sourceOf(world.platform)
    const signer = await other.signer('head')
    const a = world.connect('hospital-a')
    const real: HeadAnswer = await a.api.head(record)
    const height = parseHead(real.head).head.height - left
    const { items } = await source.blocks(record, 0)
    const stated = { ...parseHead(real.head).head, height, block: (await blockIds())[height] as never }
    return async (request: Request): Promise<Response> => {
      const { pathname, searchParams } = new URL(request.url)
      const from = Number(searchParams.get('from'))
      const [, , , , part, name = ''] = pathname.split('/')
      if (request.method === 'POST') statements++
      if (request.method === 'POST') return Response.json({}, { status: 201 })
      if (pathname === '/v1/registry/blocks') return Response.json(await source.registryBlocks(from))
      if (pathname === '/v1/held') return Response.json({ items: [{ chain: record, height }], next: null })
      if (part === 'head') {
        const time = toTimestamp(world.clock.now)
        return Response.json({
          ...real,
          head: await signHead({ ...stated, origin: OTHER.origin, time }, signer),
        })
      }
      if (part === 'blocks') return Response.json({ items: items.slice(from, height + 1), next: null })
      if (part === 'rows') return found(await source.keyRow(record, name))
      if (part === 'objects') return found(await source.object(record, name as Digest, 1e9))
      if (part === 'keys') return Response.json(await source.blockKeys(record, Number(name)))
      if (ERASED.test(pathname)) return Response.json({ items: [], next: null })
      return found(null)
    }
  }

  const blockIds = async () =>
    (await scene.world.connect('hospital-a').replica(scene.record)).notes.map(({ id }) => id)

  async function runOfOther(left: number) {
    const { world, mirror, record } = scene
    const { id: institution, instance } = world.institution('mirror-m')
    const keys = { instance, head: await mirror.signer('head') }
    const ports = {
      ...(await select(mirror, { ...MIRROR_NEEDS, keys: {} })),
      fetch: await foreignHome(left),
      keys,
    }
    const home = {
      ...OTHER,
      registry: world.registryId,
      logKeys: await logKeysOf(world.platform),
      policy: null,
      own: MIRROR_ORIGIN,
      institution,
      backupDays: 0,
      verifiers: createVerifiers(),
    }
    const report = await mirrorChains(ports, home)
    const { receipts, blocks } = copyOf(ports, OTHER.deployment).tables
    return { report, said: await readMirrored(receipts, record), blocks: await blocks.range(record) }
  }

  const refused = (chain: ChainId) => [{ chain, what: expect.stringContaining('rule home:') }]

  it('is copied from nobody but its home, and nothing is stated of it', async () => {
    const { record } = scene
    await scene.run()
    const { report, said, blocks } = await runOfOther(2)
    expect(report).toMatchObject({ added: 0, stated: 0, problems: refused(record) })
    expect({ said, blocks }).toEqual({ said: null, blocks: [] })
  })

  it('has no erasure carried out or stated where its home did not show it', async () => {
    const { record } = scene
    await eraseTwo(scene)
    const { report } = await runOfOther(0)
    expect(report).toMatchObject({ erased: 0, problems: refused(record) })
    expect(statements).toBe(0)
    expect(await keysIn(scene.copy, record)).not.toContain('erased')
  })

  it('is not restored into a home, whoever adds it to its copy', async () => {
    const { world } = scene
    for (const { key, value } of await world.platform.table('registry').range(REGISTRY_PARTITION))
      await other.table('registry').insert(REGISTRY_PARTITION, key, value)
    const registry = createRegistrySource(other.table('registry'), world.registryId, createVerifiers())
    const hosting = { now: () => world.clock.now, random: world.random, log: silentLog }
    const served = await homeApp(other, { ...world.home, ...OTHER, registry }, hosting, {
      pause: async () => undefined,
    })
    const { ports } = world.connect('mirror-m')
    const own = connect({
      ...ports,
      seen: memorySeen(),
      pins: { ...ports.pins, origin: OTHER.origin },
      fetch: async (request) => served.app.fetch(request),
    })
    const { record } = await createRecord(own, OTHER, ['general'])
    await scene.run()
    await scene.lose()
    const foreign = sourceOf(other)
    const adding = (source: HomeSource): HomeSource => {
      const by = (chain: ChainId) => (chain === record ? foreign : source)
      return {
        ...source,
        chains: async (from) => {
          const page = await source.chains(from)
          return { ...page, items: [...page.items, { chain: record, height: 1 }] }
        },
        blocks: (chain, from) => by(chain).blocks(chain, from),
        keyRow: (chain, name) => by(chain).keyRow(chain, name),
        object: (chain, root, maxBytes) => by(chain).object(chain, root, maxBytes),
        blockKeys: (chain, height) => by(chain).blockKeys(chain, height),
        erased: (chain) => by(chain).erased(chain),
      }
    }
    const message = expect.stringContaining(`rule home: chain ${record}`)
    await expect(scene.restore({ acceptLoss: true }, adding)).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message,
    })
    expect(await scene.restore()).toMatchObject({ losses: [], unexplained: 0 })
  })
})
