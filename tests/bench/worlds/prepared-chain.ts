// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import type { BlockId, ChainId, OpId } from '#core/bytes/ids.ts'
import type { RecordBlock } from '#core/block/block.ts'
import { parseBlock, type OpenedBlock } from '#core/block/open-block.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Replica } from '#core/client/read/replica.ts'
import { digestOf } from '#core/crypto/hash.ts'
import type { Signer } from '#core/ports/keys.ts'
import type { WriteTable } from '#core/ports/table.ts'
import { heightKey } from '#core/server/store/rows.ts'
import type { TestDeployment } from '#tests/deployment.ts'
import { HOME, INSTITUTION } from './durable.ts'

/** Blocks that are signed, and inserted, at the same time. */
const PAGE = 500

/** A chain with its first two blocks, made through the home as every chain is. */
export async function newChain(world: TestDeployment): Promise<Replica> {
  const connection = world.connect(INSTITUTION)
  const { record } = await createRecord(connection, HOME, ['general'])
  return connection.replica(record)
}

/**
 * Signed record blocks that follow a replica, page by page up to `height`. Each keeps every rule of the chain;
 * the sealed parts that they name do not exist, which only readers of entries would notice.
 */
export async function* preparedBlocks(
  replica: Replica,
  signer: Signer,
  height: number,
): AsyncGenerator<readonly string[]> {
  const header = toBase64url(
    utf8(canonicalize({ alg: signer.alg, kid: signer.kid, typ: 'ampere-block+jws' })),
  )
  let prev = replica.link.opened.id
  for (let at = replica.notes.length; at <= height; at += PAGE) {
    const inputs: string[] = []
    for (let next = at; next < Math.min(at + PAGE, height + 1); next++) {
      const input = `${header}.${toBase64url(utf8(canonicalize(recordBlock(replica, next, prev))))}`
      prev = digestOf(utf8(input)) as string as BlockId
      inputs.push(input)
    }
    yield await Promise.all(
      inputs.map(async (input) => `${input}.${toBase64url(await signer.sign(utf8(input)))}`),
    )
  }
}

/** Puts prepared blocks where the home keeps blocks. @returns the replica as of the last of them */
export async function insertPrepared(
  blocks: WriteTable,
  replica: Replica,
  signer: Signer,
  height: number,
): Promise<Replica> {
  let at = replica.notes.length
  let last = replica.link.opened.compact
  for await (const page of preparedBlocks(replica, signer, height)) {
    await Promise.all(
      page.map((compact, i) => blocks.insert(replica.chain, heightKey(at + i), utf8(compact))),
    )
    at += page.length
    last = page.at(-1) ?? last
  }
  // Record blocks leave the state as it is, so the last one and the old state are all that a writer needs.
  return { ...replica, link: { opened: parseBlock(last) as OpenedBlock, state: replica.link.state } }
}

/** The chain's public id and everything else that a verifier needs of it. */
export async function verifyingContext(world: TestDeployment, chain: ChainId) {
  const registry = await world.home.registry.refresh()
  return { chain, viewAt: registry.viewAt, keyOf: registry.keyOf, verifiers: world.home.verifiers }
}

function recordBlock(replica: Replica, height: number, prev: BlockId): RecordBlock {
  const { opened } = replica.link
  const digest = (what: string) => digestOf(utf8(`${what} ${height}`))
  return {
    v: 1,
    type: 'record',
    chain: replica.chain,
    height,
    prev,
    time: opened.block.time,
    registry: opened.block.registry,
    state: opened.block.state,
    op: digest('op').slice(0, 21).concat('A') as OpId,
    entries: {
      count: 1,
      bytes: 4168,
      root: digest('root'),
      keys: digest('keys'),
      epoch: 1,
      compartments: replica.link.state.compartments.map((item) => item.id),
      batch: null,
    },
    body: {},
  }
}
