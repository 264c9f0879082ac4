// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, fromUtf8, toBase64url } from '../bytes/encoding.ts'
import type { ChainId, CompartmentId, Digest, EntryId, OpId } from '../bytes/ids.ts'
import { timestampMs, toTimestamp } from '../bytes/timestamp.ts'
import type { Block, BlockEntries, RecordBlock } from '../block/block.ts'
import { describe, descriptorLeaf, packObject, type EntryDescriptor } from '../block/entries-object.ts'
import { encodeKeyRow, keyRowLeaves, type KeyRow } from '../block/key-row.ts'
import { signBlock, type ParsedBlock } from '../block/open-block.ts'
import { PROBLEMS } from '../api/problems.ts'
import type { Append } from '../api/append.ts'
import { stateHash } from '../chain/state.ts'
import { AmpereError, isAmpereError } from '../errors.ts'
import { rootOf } from '../log/merkle.ts'
import { sealEntry } from '../seal/entry.ts'
import { sealKeys } from '../seal/wraps.ts'
import type { ClientPorts, FiledEntry, NewEntry } from './client.ts'
import { checkHead } from './judged-head.ts'
import { noteOf, type BlockNote } from './read/block-note.ts'
import type { ChainEnd, Replica } from './read/replica.ts'

/** Entries per block that this client makes; the format allows 4,096. */
export const BATCH_ENTRIES = 256
/** Sealed bytes after which a block is closed, so that an append stays below the home's limit. */
export const BATCH_BYTES = 8 * 1024 * 1024
/** How often an append is signed again on a newer head before it gives up. */
const MAX_ATTEMPTS = 20
/** How often it is sent again after an answer that leaves open whether it was stored. */
const MAX_UNKNOWN = 3

/** What appending needs beside the ports: the current replica, and how to bring it up to date. */
export interface AppendContext {
  readonly ports: ClientPorts
  readonly refresh: () => Promise<Replica>
  readonly submit: (append: Append) => Promise<ParsedBlock>
  /** Compartment ids by name, of those this identity may write. */
  readonly compartmentIds: (name: string) => CompartmentId | null
  /** Told the id of a batch of several blocks before its first one is sent. */
  readonly began: (batch: string) => void
}

interface SealedBatch {
  readonly object: Uint8Array
  readonly descriptors: readonly EntryDescriptor[]
  readonly deks: readonly { compartment: CompartmentId; dek: Uint8Array }[]
  readonly root: Digest
}

/**
 * Seals entries and appends them as consecutive blocks of one batch.
 * @param after height of the head that they were judged by: the first block follows it, or none is appended
 * @throws AmpereError of the home's refusal
 */
export async function appendEntries(
  context: AppendContext,
  replica: Replica,
  entries: readonly NewEntry[],
  after?: number,
): Promise<readonly FiledEntry[]> {
  const batches = split(entries)
  const id = toBase64url(context.ports.random(16)) as OpId
  const filed: FiledEntry[] = []
  let at = replica
  if (batches.length > 1) context.began(id)
  for (const [index, batch] of batches.entries()) {
    const sealed = await sealBatch(context, replica.chain, batch)
    const inBatch = batches.length === 1 ? null : { id, index, last: index === batches.length - 1 }
    const { block, next } = await appendSealed(context, at, sealed, inBatch, index === 0 ? after : undefined)
    at = next
    for (const [place, descriptor] of sealed.descriptors.entries()) {
      filed.push({
        id: descriptor.id,
        chain: replica.chain,
        height: block.height,
        index: place,
        block: block.id,
        time: block.time,
      })
    }
  }
  return filed
}

async function sealBatch(
  context: AppendContext,
  chain: ChainId,
  batch: readonly NewEntry[],
): Promise<SealedBatch> {
  const { random } = context.ports
  const sealed = await Promise.all(
    batch.map(async (entry) => {
      const compartment = context.compartmentIds(entry.compartment)
      if (!compartment)
        throw new AmpereError('FORBIDDEN', 'the chain has no such compartment for this institution')
      const id = toBase64url(random(16)) as EntryId
      const dek = random(32)
      const { header, content } = entry
      const ciphertext = await sealEntry({ chain, id, compartment, header, content, dek, salt: random(24) })
      return { descriptor: await describe(id, compartment, ciphertext), ciphertext, dek }
    }),
  )
  const descriptors = sealed.map((item) => item.descriptor)
  return {
    object: packObject(
      descriptors,
      sealed.map((item) => item.ciphertext),
    ),
    descriptors,
    deks: sealed.map((item) => ({ compartment: item.descriptor.compartment, dek: item.dek })),
    root: toBase64url(rootOf(descriptors.map(descriptorLeaf))) as Digest,
  }
}

/**
 * Signs and submits until the block stands. `op` was fixed before the first attempt: when the home answers
 * that the chain moved on, a block with our key and `op` among the news is ours, else it is signed again.
 */
async function appendSealed(
  context: AppendContext,
  replica: Replica,
  sealed: SealedBatch,
  batch: BlockEntries['batch'],
  after: number | undefined,
): Promise<{ block: BlockNote; next: Replica }> {
  const op = toBase64url(context.ports.random(16)) as OpId
  let at = replica
  let row = await sealRow(context, at, sealed)
  let unknown = 0
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const signed = await signBlock(
      recordBlock(context, at, sealed, row, batch, op),
      context.ports.identity.signer,
    )
    try {
      const block = await context.submit({
        block: signed.compact,
        row: fromUtf8(encodeKeyRow(row)),
        packages: [],
        labelKey: null,
        object: sealed.object,
      })
      return { block: noteOf(block), next: await context.refresh() }
    } catch (error) {
      // Unknown outcomes and conflicts end in the same question: is a block with our op there?
      if (!mayBeStored(error)) throw error
      const before = at
      at = await context.refresh()
      const done = findOp(at, before.notes.length, op, context.ports.identity.signer.kid)
      if (done) return { block: done, next: at }
      if (after !== undefined) checkHead(at, after)
      if (!isAmpereError(error, 'HEAD_CONFLICT') && ++unknown === MAX_UNKNOWN) throw error
      if (at.link.state.epoch.number !== before.link.state.epoch.number)
        row = await sealRow(context, at, sealed)
    }
  }
  throw new AmpereError('HEAD_CONFLICT', `the chain moved on ${MAX_ATTEMPTS} times; nothing was appended`)
}

/** After an answer of the home's own trouble the block may be there; after any other refusal it is not. */
function mayBeStored(error: unknown): boolean {
  if (!isAmpereError(error)) return false
  return (
    error.code === 'HEAD_CONFLICT' || error.code === 'REGISTRY_STALE' || PROBLEMS[error.code].status >= 500
  )
}

function findOp(replica: Replica, from: number, op: OpId, kid: string): BlockNote | null {
  return replica.notes.slice(from).find((note) => note.op === op && note.kid === kid) ?? null
}

function sealRow(context: AppendContext, replica: Replica, sealed: SealedBatch): Promise<KeyRow> {
  const { number } = replica.link.state.epoch
  const keys = replica.epochs.get(number) ?? []
  const used = new Set(sealed.descriptors.map((descriptor) => descriptor.compartment))
  return sealKeys({
    chain: replica.chain,
    root: sealed.root,
    epochKeys: keys
      .filter((key) => used.has(key.id))
      .map((key) => ({ compartment: key.id, epoch: number, publicKey: fromBase64url(key.key) })),
    deks: sealed.deks,
    random: context.ports.random,
  })
}

function recordBlock(
  context: AppendContext,
  replica: Replica,
  sealed: SealedBatch,
  row: KeyRow,
  batch: BlockEntries['batch'],
  op: OpId,
): RecordBlock {
  const entries: BlockEntries = {
    count: sealed.descriptors.length,
    bytes: sealed.descriptors.reduce((sum, descriptor) => sum + descriptor.size, 0),
    root: sealed.root,
    keys: toBase64url(rootOf(keyRowLeaves(row))) as Digest,
    epoch: replica.link.state.epoch.number,
    compartments: [...new Set(sealed.descriptors.map((descriptor) => descriptor.compartment))].toSorted(),
    batch,
  }
  return { ...following(context.ports, replica, op), type: 'record', entries, body: {} }
}

/** The fields that place a block after a replica's head, with an unchanged state. */
export function following(ports: Pick<ClientPorts, 'now'>, replica: ChainEnd, op: OpId) {
  const before: Block = replica.link.opened.block
  return {
    v: 1 as const,
    chain: replica.chain,
    height: before.height + 1,
    prev: replica.link.opened.id,
    time: toTimestamp(Math.max(ports.now(), timestampMs(before.time))),
    registry: replica.head.registry,
    state: stateHash(replica.link.state),
    op,
  }
}

function split(entries: readonly NewEntry[]): NewEntry[][] {
  const batches: NewEntry[][] = []
  let bytes = 0
  for (const entry of entries) {
    const size = Math.max(4096, entry.content.length + entry.header.length)
    const last = batches.at(-1)
    if (!last || last.length >= BATCH_ENTRIES || bytes + size > BATCH_BYTES) {
      batches.push([entry])
      bytes = size
    } else {
      last.push(entry)
      bytes += size
    }
  }
  return batches
}
