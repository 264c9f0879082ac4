// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { decodeAppend, type Append } from '#core/api/append.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { compactHash } from '#core/block/leaf.ts'
import { toHex } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import type { Home } from '#core/server/home.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import { commitTree, loadTree } from '#core/server/sequence/tree.ts'
import { CHAIN_CHARACTERS } from '#core/server/store/attempt.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'
import { START_MS, testDeployment, type TestDeployment } from '#tests/deployment.ts'
import { HOME } from '../../../attempts.ts'
import { resettable, type Resettable, type Saved } from '../../../resettable.ts'
import { entry } from '../../scene.ts'
import { blockId } from '../state.ts'
import type { Beginning } from './steps/names.ts'

/** A home with two logged records and nothing to do, and appends to it, to be put back for each trace. */
export interface TracedWorld {
  readonly world: TestDeployment
  /** The home as its sequencers have it. */
  readonly home: Home
  readonly platform: Platform
  readonly store: Resettable
  readonly begin: Saved
  readonly beginning: Beginning
  readonly appends: readonly Append[]
}

/** Makes the world. Of its appends the first two follow each other, the third wants the place of the first, the last is alone. */
export async function tracedWorld(): Promise<TracedWorld> {
  const clock = { now: START_MS }
  const store = resettable(
    withKeptKeys(openMemory({ now: () => clock.now, random: () => new Uint8Array(16) }), 'trace'),
  )
  const platform = withStillKeys(store.platform)
  const world = await testDeployment(['hospital-a'], { base: store.platform, clock })
  const home = takingAll(world.home)
  const records: ChainId[] = []
  for (let i = 0; i < 2; i++)
    records.push((await createRecord(world.connect('hospital-a'), HOME, ['general'])).record)
  const [first = '' as ChainId, second = '' as ChainId] = records
  await createSequencer(await select(platform, SEQUENCER_NEEDS), home).run()
  await settleStores(platform)
  const begin = await store.save()
  const appends = [
    ...(await appendsOf(world, first, 2)),
    ...(await putBack(store, begin, () => appendsOf(world, first, 1))),
    ...(await putBack(store, begin, () => appendsOf(world, second, 1))),
  ]
  await store.load(begin)
  const heights = await Promise.all(
    records.map(async (id) => (await platform.table('blocks').range(id)).length),
  )
  const size = (await loadTree(platform.table('checkpoints')))?.tree.checkpoint.size ?? 0
  const blocks = appends.map(({ block }, i) => {
    const { chain, id, block: parsed } = parseBlock(block)
    const at = records.indexOf(chain)
    const height = parsed.height - (heights[at] ?? 0)
    return { name: blockId(at, height, i), chain: at, height, id, hash: toHex(compactHash(block)) }
  })
  return {
    world,
    home,
    platform,
    store,
    begin,
    appends,
    beginning: { chains: records, heights, size, blocks },
  }
}

/** A real signature of ML-DSA-44 takes as long as a run, and any by WebCrypto ends when it likes. */
function withStillKeys(platform: Platform): Platform {
  return {
    ...platform,
    signer: async (name) => {
      const signer = await platform.signer(name)
      const length = name === 'log-quantum' ? 2420 : 64
      return { ...signer, sign: async () => new Uint8Array(length) }
    },
  }
}

/** Takes what the still keys sign. */
function takingAll(home: Home): Home {
  const get: Home['verifiers']['get'] = async (jwk) => ({
    ...(await home.verifiers.get(jwk)),
    verify: async () => true,
  })
  return { ...home, verifiers: { get } }
}

/** A tree that leaves nothing to finish, and no marks, as the model begins. */
async function settleStores(platform: Platform): Promise<void> {
  const checkpoints = platform.table('checkpoints')
  const loaded = await loadTree(checkpoints)
  if (!loaded) throw new Error('the log was not begun')
  await commitTree(checkpoints, loaded.version, { ...loaded.tree, staging: null, discard: null })
  const dirty = platform.table('dirty')
  for (const shard of CHAIN_CHARACTERS)
    for (const { key, version } of await dirty.range(shard)) await dirty.swap(shard, key, version, null)
}

/** Appends as a client sends them. */
async function appendsOf(world: TestDeployment, chain: ChainId, count: number): Promise<Append[]> {
  const sent: Append[] = []
  const client = world.connect('hospital-a', {
    fetch: async (request) => {
      if (request.method === 'POST')
        sent.push(decodeAppend(new Uint8Array(await request.clone().arrayBuffer())))
      return world.fetch(request)
    },
  })
  for (let i = 0; i < count; i++) await client.append(chain, [entry(`entry ${i}`)])
  return sent
}

async function putBack<T>(store: Resettable, begin: Saved, act: () => Promise<T>): Promise<T> {
  await store.load(begin)
  return act()
}
