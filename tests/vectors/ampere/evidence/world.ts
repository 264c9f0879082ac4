// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { signHead, type HeadStatement } from '#core/api/head.ts'
import { logOriginOf } from '#core/api/log.ts'
import { compactHash, encodeLeaf, leafLabel } from '#core/block/leaf.ts'
import { parseJws, signJws } from '#core/block/jws.ts'
import { parseBlock } from '#core/block/open-block.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { timestampMs, toTimestamp } from '#core/bytes/timestamp.ts'
import { digestOf } from '#core/crypto/hash.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { formatVerifierKey, type LogSigner } from '#core/log/note/key.ts'
import { formatNote } from '#core/log/note/note.ts'
import { signCheckpoint } from '#core/log/note/open-checkpoint.ts'
import { inclusionProof } from '#core/log/proof.ts'
import { formatTlogProof } from '#core/log/tlog-proof.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { bytesFor, makeCast } from '../record/cast.ts'
import { makeEpoch } from '../record/parts.ts'

interface ChainFile {
  readonly vectors: {
    readonly chain: ChainId
    readonly blocks: readonly { readonly block: string; readonly canonicalState: string }[]
  }
}

export const LOG = logOriginOf(ORIGIN)
const CHAIN_FILE = new URL('../record/chain.json', import.meta.url)

/** The record of the other vectors, and a home and a log that may say anything of it. */
export type World = Awaited<ReturnType<typeof makeWorld>>

/** A tree that the log signs: any entries, any time. */
export function treeOf(signers: readonly LogSigner[], entries: readonly Uint8Array[]) {
  const leaves = entries.map(leafHash)
  const note = async (size: number, timeMs: number, by: readonly LogSigner[] = signers) => {
    const checkpoint = { origin: LOG, size, root: merkleRoot(leaves.slice(0, size)), extensions: [] }
    return formatNote(await signCheckpoint(checkpoint, by, Math.floor(timeMs / 1000)))
  }
  return {
    leaves,
    note,
    /** The receipt of the entry at an index, in the tree of all. */
    receipt: async (index: number, timeMs: number) =>
      formatTlogProof({
        extra: (entries[index] ?? new Uint8Array(0)).slice(1, 33),
        index,
        hashes: inclusionProof(leaves, index),
        note: await note(leaves.length, timeMs),
      }),
  }
}

/** Everything that the vectors are made of; the same in every run. */
export async function makeWorld() {
  const cast = await makeCast()
  const { vectors } = JSON.parse(readFileSync(CHAIN_FILE, 'utf8')) as ChainFile
  const { chain } = vectors
  const blocks = vectors.blocks.map(({ block }) => block)
  const states = vectors.blocks.map(({ canonicalState }) => canonicalState)
  const signers = [await signerOf(LOG, 'Ed25519', 91), await signerOf(LOG, 'cosignature-ML-DSA-44', 92)]
  const labelKeys = [makeEpoch(1), makeEpoch(2)].map(({ labelKey }) => labelKey)
  const labelKeyAt = (height: number): Uint8Array => {
    const { labelKeyHash } = JSON.parse(states[Math.max(height - 1, 0)] ?? '') as { labelKeyHash: string }
    const key = labelKeys.find((candidate) => digestOf(candidate) === labelKeyHash)
    if (!key) throw new Error('no label key')
    return key
  }
  const entryOf = (height: number, compact: string = blocks[height] ?? ''): Uint8Array =>
    encodeLeaf({ label: leafLabel(labelKeyAt(height), chain, height), hash: compactHash(compact) })
  const filler = bytesFor('evidence fillers')
  const others = Array.from({ length: 16 }, () => encodeLeaf({ label: filler(32), hash: filler(32) }))
  const timeAt = (height: number): number => timestampMs(parseBlock(blocks[height] ?? '').block.time)
  const registryHead = {
    height: cast.registryBlocks.length - 1,
    id: parseJws(cast.registryBlocks.at(-1) ?? '', 'ampere-registry+jws').id,
  }
  const headOf = (block: string, timeMs: number, given: Partial<HeadStatement> = {}, signer = cast.signers['home-1']) => {
    const { id, block: payload } = parseBlock(block)
    const head: HeadStatement = {
      v: 1,
      chain,
      height: payload.height,
      block: id,
      registry: registryHead,
      time: toTimestamp(timeMs),
      origin: ORIGIN,
      durability: 'local',
    }
    return signHead({ ...head, ...given }, signer)
  }
  /** The block at a height as its author might have written it another time: another operation, so another block. */
  const otherBlock = async (height: number, signer = cast.signers.device): Promise<string> => {
    const payload = parseBlock(blocks[height] ?? '').jws.payload as object
    return signJws('ampere-block+jws', { ...payload, op: 'AAAAAAAAAAAAAAAAAAAAAA' }, signer)
  }
  return {
    cast,
    chain,
    blocks,
    states,
    signers,
    logKeys: signers.map(({ key }) => formatVerifierKey(key)),
    registry: { id: cast.history.pinned, blocks: cast.registryBlocks },
    labelKeyAt,
    entryOf,
    others,
    timeAt,
    headOf,
    otherBlock,
  }
}
