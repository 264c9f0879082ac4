// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { BlockId } from '#core/bytes/ids.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { parseHead, signHead, type HeadStatement } from '#core/api/head.ts'
import { authorize } from '#core/api/request.ts'
import type { MirroredAnswer } from '#core/api/mirrored.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { checkMirrored } from '#core/client/mirrored/check-mirrored.ts'
import { evidenceOfHeads } from '#core/evidence/build.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { digestOf } from '#core/crypto/hash.ts'
import type { Signer } from '#core/ports/keys.ts'
import { select } from '#core/ports/needs.ts'
import { keyRecord } from '#core/registry/build.ts'
import { KEEPER_NEEDS } from '#core/server/mirror/copy-of.ts'
import { RESTATE_MS } from '#core/server/mirror/statement.ts'
import { objectName } from '#core/server/store/rows.ts'
import { keeperApp } from '#functions/keeper/app.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { makeSigner, memorySeen, ORIGIN } from '#tests/deployment.ts'
import { DEPLOYMENT, entry, MIRROR_ORIGIN, mirroredScene, type Scene } from './mirrored-scene.ts'

let scene: Scene
let ask: (path: string, signer: Signer) => Promise<Response>
let answerOf: () => Promise<Response>
/** What is answered in the place of the mirror, where it lies. */
let instead: ((real: MirroredAnswer) => Promise<MirroredAnswer> | MirroredAnswer) | null = null
const evidence: Uint8Array[] = []

beforeAll(async () => {
  scene = await mirroredScene()
  const { world, mirror, record } = scene
  const own = { ...world.home, deployment: asDeploymentId('home-1'), origin: MIRROR_ORIGIN }
  const home = { deployment: DEPLOYMENT, origin: ORIGIN, registry: world.registryId }
  const hosting = { now: () => world.clock.now, random: world.random, log: silentLog }
  const app = keeperApp(await select(mirror, KEEPER_NEEDS), own, () => [home], hosting)
  ask = async (path, signer) => {
    const url = new URL(path, MIRROR_ORIGIN)
    const signed = { now: hosting.now, random: world.random, signer }
    const authorization = await authorize({ method: 'GET', url, body: new Uint8Array(0) }, signed)
    return app.fetch(new Request(url, { headers: { authorization } }))
  }
  answerOf = async () => app.fetch(new Request(new URL(`/v1/mirrored/${record}`, MIRROR_ORIGIN)))
}, 60_000)
afterAll(() => scene.close())

/** A reader that has seen nothing yet, and keeps evidence. */
function reader(): Connection {
  const { ports } = scene.world.connect('hospital-a')
  return connect({
    ...ports,
    seen: memorySeen(),
    evidence: async (bytes) => `file-${evidence.push(bytes)}`,
    fetch: async (request) => {
      if (new URL(request.url).origin !== MIRROR_ORIGIN) return scene.world.fetch(request)
      const real = await answerOf()
      return instead ? Response.json(await instead((await real.json()) as MirroredAnswer)) : real
    },
  })
}

async function words() {
  const connection = reader()
  return checkMirrored(connection, await connection.replica(scene.record))
}

async function lied(lie: typeof instead) {
  instead = lie
  try {
    return await words()
  } finally {
    instead = null
  }
}

/** A statement, changed and signed anew. */
async function resigned(compact: string, signer: Signer, change: Partial<HeadStatement>): Promise<string> {
  return signHead({ ...parseHead(compact).head, ...change }, signer)
}

const headKey = () => scene.world.platform.signer('head')
const mirrorKey = () => scene.mirror.signer('head')
const heightOf = async () => (await reader().replica(scene.record)).head.height
const OTHER = digestOf(new Uint8Array([7])) as string as BlockId

describe('a mirror', () => {
  it('states nothing while the registry has no deployment of it', async () => {
    expect(await scene.run()).toMatchObject({ stated: 0, problems: [] })
    expect((await answerOf()).status).toBe(404)
    expect(await words()).toMatchObject([{ institution: 'mirror-m', origin: null, says: 'failed' }])
  })

  it('states up to which block it holds a chain, beside what the home stated', async () => {
    const { id: institution } = scene.world.institution('mirror-m')
    const { kid, publicKey } = await mirrorKey()
    const deployment = asDeploymentId('mirror-m-1')
    const record = {
      v: 1,
      kind: 'deployment',
      id: deployment,
      institution,
      origin: MIRROR_ORIGIN,
      kid,
    } as const
    const key = keyRecord(publicKey, 'head', { deployment })
    await scene.world.change('mirror-m', [{ act: 'deploy', deployment: record, key }])
    expect(await scene.run()).toMatchObject({ stated: 4, problems: [] })
    const height = await heightOf()
    const { mirrored, head } = (await (await answerOf()).json()) as MirroredAnswer
    expect(parseHead(mirrored).head).toMatchObject({ height, durability: 'mirrored', origin: MIRROR_ORIGIN })
    expect(parseHead(head).head).toMatchObject({ height, durability: 'local', origin: ORIGIN })
    expect(await words()).toEqual([
      {
        institution,
        origin: MIRROR_ORIGIN,
        says: 'mirrored',
        height,
        time: toTimestamp(scene.world.clock.now),
        detail: '',
      },
    ])
  })

  it('says the same for an hour, unless there is more', async () => {
    expect(await scene.run()).toMatchObject({ stated: 0 })
    await scene.world.connect('hospital-a').append(scene.record, [entry('more')])
    const height = await heightOf()
    expect(await words()).toMatchObject([{ says: 'mirrored', height: height - 1 }])
    expect(await scene.run()).toMatchObject({ stated: 1 })
    expect(await words()).toMatchObject([{ says: 'mirrored', height }])
    scene.world.clock.now += RESTATE_MS
    expect(await scene.run()).toMatchObject({ stated: 4 })
    expect(await words()).toMatchObject([{ height, time: toTimestamp(scene.world.clock.now) }])
  })

  it('states no block of which its home lost a part, and states it once the part is there', async () => {
    const { world, record } = scene
    const [filed] = await world.connect('hospital-a').append(record, [entry('lost')])
    const { notes } = await reader().replica(record)
    const root = notes[filed?.height ?? -1]?.entries?.root
    if (!root) throw new Error('entries are expected')
    const objects = world.platform.objects('entries')
    const name = objectName(record, root)
    const bytes = await objects.fetch(name)
    await objects.shred(name)
    expect(await scene.run()).toMatchObject({ stated: 0, problems: [{ chain: record }] })
    expect(await words()).toMatchObject([{ says: 'mirrored', height: (filed?.height ?? 0) - 1 }])
    await objects.store(name, bytes ?? new Uint8Array(0))
    expect(await scene.run()).toMatchObject({ stated: 1, problems: [] })
    expect(await words()).toMatchObject([{ says: 'mirrored', height: filed?.height }])
  })
})

describe('the copy of a home', () => {
  it('is given to the institution of that home alone, and to others not even named', async () => {
    const statusFor = async (signer: Signer, path: string) => (await ask(path, signer)).status
    const { instance: a } = scene.world.institution('hospital-a')
    const paths = ['', '/held', '/registry/blocks', `/chains/${scene.record}/blocks`, '/log/witnessed']
    for (const path of paths) {
      expect(await statusFor(a, `/v1/copies/home-1${path}`)).toBe(200)
      for (const name of ['hospital-b', 'mirror-m']) {
        const { instance } = scene.world.institution(name)
        expect(await statusFor(instance, `/v1/copies/home-1${path}`)).toBe(403)
      }
      const stranger = await makeSigner(scene.world.random)
      expect(await statusFor(stranger, `/v1/copies/home-1${path}`)).toBe(401)
      expect(await statusFor(a, `/v1/copies/home-2${path}`)).toBe(401)
    }
  })
})

describe('a mirror that lies', () => {
  it('counts for nothing where its home signed no such block, whatever the mirror signed', async () => {
    const stranger = await makeSigner(scene.world.random)
    const height = (await heightOf()) + 5
    const lies: NonNullable<typeof instead>[] = [
      async (real) => ({ ...real, mirrored: await resigned(real.mirrored, await mirrorKey(), { height }) }),
      async (real) => ({
        ...real,
        mirrored: await resigned(real.mirrored, await mirrorKey(), { block: OTHER }),
      }),
      async (real) => ({ ...real, mirrored: await resigned(real.mirrored, stranger, {}) }),
      async (real) => ({
        ...real,
        mirrored: await resigned(real.mirrored, await mirrorKey(), { durability: 'local' }),
      }),
      async (real) => ({ ...real, head: await resigned(real.head, await mirrorKey(), {}) }),
      async (real) => ({
        ...real,
        head: await resigned(real.head, await headKey(), { durability: 'mirrored' }),
      }),
      (real) => ({ ...real, head: real.mirrored }),
      (real) => ({ ...real, mirrored: real.head }),
      async (real) => ({
        mirrored: await resigned(real.mirrored, await mirrorKey(), { chain: scene.other }),
        head: await resigned(real.head, await headKey(), { chain: scene.other }),
      }),
      () => ({ mirrored: 'nonsense', head: 'nonsense' }),
    ]
    for (const lie of lies)
      expect(await lied(lie)).toMatchObject([{ says: 'failed', height: null, time: null }])
    expect(evidence).toEqual([])
  })
})

describe('a home that told its mirror something else', () => {
  const pins = () => ({ registry: scene.world.registryId, logs: [] })
  /** The mirror kept what the home stated to it, and stated the same. */
  const shown = (change: Partial<HeadStatement>) => async (real: MirroredAnswer) => ({
    mirrored: await resigned(real.mirrored, await mirrorKey(), change),
    head: await resigned(real.head, await headKey(), change),
  })

  it('is convicted of the fork by its own two statements, at one height and below', async () => {
    const height = await heightOf()
    for (const at of [height, height - 2]) {
      const before = evidence.length
      const detail = expect.stringMatching(/another block at height \d+; evidence is kept as file-\d$/)
      expect(await lied(shown({ height: at, block: OTHER }))).toMatchObject([{ says: 'forked', detail }])
      const proved = await verifyEvidence(evidence[before] ?? new Uint8Array(0), pins())
      expect(JSON.stringify(proved)).toMatch(/the home at http:\/\/home\.test signed.*: a fork/)
    }
  })

  it('is convicted of the rollback where the mirror was shown more minutes ago', async () => {
    const height = (await heightOf()) + 1
    const time = toTimestamp(scene.world.clock.now - 121_000)
    const before = evidence.length
    expect(await lied(shown({ height, block: OTHER, time }))).toMatchObject([{ says: 'rolled-back' }])
    const proved = await verifyEvidence(evidence[before] ?? new Uint8Array(0), pins())
    expect(JSON.stringify(proved)).toMatch(/: a rollback/)
    const soon = toTimestamp(scene.world.clock.now - 1000)
    expect(await lied(shown({ height, block: OTHER, time: soon }))).toMatchObject([{ says: 'rolled-back' }])
    expect(evidence).toHaveLength(before + 1)
  })
})

describe('statements of mirrors as evidence', () => {
  it('convict the mirror of two histories, by name, and no home', async () => {
    const { world } = scene
    const { mirrored } = (await (await answerOf()).json()) as MirroredAnswer
    const other = await resigned(mirrored, await mirrorKey(), { block: OTHER })
    const page = await world.connect('hospital-a').api.registryBlocks(0)
    const registry = { id: world.registryId, blocks: page.items }
    const file = evidenceOfHeads({ origin: MIRROR_ORIGIN, registry }, [mirrored, other])
    const proved = await verifyEvidence(file, { registry: world.registryId, logs: [] })
    expect(JSON.stringify(proved)).toMatch(/the mirror at http:\/\/mirror\.test signed.*: a fork/)
    const mixed = evidenceOfHeads({ origin: ORIGIN, registry }, [mirrored, other])
    await expect(verifyEvidence(mixed, { registry: world.registryId, logs: [] })).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining('rule origin'),
    })
  })
})
