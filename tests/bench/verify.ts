// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import type { RecordBlock } from '#core/block/block.ts'
import { parseBlock, signBlock, type ParsedBlock } from '#core/block/open-block.ts'
import { foldBlocks } from '#core/chain/fold-blocks.ts'
import type { Link } from '#core/chain/state.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const BLOCKS = 10_000
const PAGE = 500
const IN_FLIGHT = 64

/** How fast is a chain of 10,000 blocks verified, against verifying its signatures alone, 64 in flight? */
export async function benchVerify(): Promise<string[]> {
  const world = await testDeployment(['hospital-a'])
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, { deployment: asDeploymentId('home-1'), origin: ORIGIN }, [
    'general',
  ])
  const head = await a.replica(record)
  const first = (await a.api.blocks(record, 0)).items
  const blocks: ParsedBlock[] = first.map(parseBlock)
  const { instance } = world.institution('hospital-a')
  for (let height = blocks.length; height < BLOCKS; height++) {
    const before = blocks[height - 1]
    if (!before) throw new Error('no parent')
    const digest = toBase64url(world.random(32)) as never
    const block: RecordBlock = {
      v: 1,
      type: 'record',
      chain: record,
      height,
      prev: before.id,
      time: before.block.time,
      registry: before.block.registry,
      state: before.block.state,
      op: toBase64url(world.random(16)) as never,
      entries: {
        count: 1,
        bytes: 5000,
        root: digest,
        keys: digest,
        epoch: 1,
        compartments: head.link.state.compartments.map((item) => item.id),
        batch: null,
      },
      body: {},
    }
    blocks.push(await signBlock(block, instance))
  }
  const registry = await world.home.registry.refresh()
  const context = {
    chain: record,
    viewAt: registry.viewAt,
    keyOf: registry.keyOf,
    verifiers: createVerifiers(),
  }
  const compacts = blocks.map((block) => block.compact)
  const fold = async () => {
    let link: Link | null = null
    for (let at = 0; at < BLOCKS; at += PAGE) {
      const folded = await foldBlocks(link, compacts.slice(at, at + PAGE), context)
      if (folded.broken) throw new Error(folded.broken.violation.rule)
      link = folded.links.at(-1) ?? null
    }
  }
  const key = await crypto.subtle.importKey(
    'jwk',
    { ...instance.publicKey },
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['verify'],
  )
  const raw = async () => {
    for (let at = 0; at < BLOCKS; at += IN_FLIGHT) {
      await Promise.all(
        blocks
          .slice(at, at + IN_FLIGHT)
          .map(({ jws }) =>
            crypto.subtle.verify(
              { name: 'ECDSA', hash: 'SHA-256' },
              key,
              new Uint8Array(jws.signature),
              new Uint8Array(jws.signingInput),
            ),
          ),
      )
    }
  }
  await fold()
  const [ours, floor] = [await rate(fold), await rate(raw)]
  return [
    `verify ${BLOCKS} blocks: ${ours}/s, raw P-256 verification ${floor}/s, ratio ${(ours / floor).toFixed(2)} (goal 0.60)`,
  ]
}

async function rate(act: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await act()
  return Math.round(BLOCKS / ((performance.now() - started) / 1000))
}
