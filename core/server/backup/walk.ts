// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../../bytes/canonical-json.ts'
import { utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { maxObjectBytes } from '../../block/entries-object.ts'
import { parseBlock, type ParsedBlock } from '../../block/open-block.ts'
import { AmpereError } from '../../errors.ts'
import { checkpointIn } from '../../log/note/checkpoint.ts'
import type { HomeSource } from '../copy/source.ts'
import { partNames } from '../store/attempt.ts'
import { logFiles } from './format/log-files.ts'
import { BEHIND, stageAfter, type Place } from './format/place.ts'
import type { Item } from './format/part.ts'

/** Objects from this size on are files of their own, so that parts stay small, in bytes. */
export const LARGE_BYTES = 256 * 1024

/** What is read in one step, and where the next one begins. */
export interface Step {
  readonly items: readonly Item[]
  readonly next: Place
  readonly counts: { readonly chains: number; readonly blocks: number; readonly logFiles: number }
}

/**
 * Reads a home from a place on, step by step; nothing is read twice, and of no step more is in memory than one block with its
 * parts, or one page.
 *
 * The home goes on meanwhile. The parts of a block are read before the end of its chain is, so the erasure that destroyed
 * a key which is not there any more is always in the backup, too: erasures are committed before they are carried out.
 * @throws AmpereError STORE_CORRUPT for a block that cannot be read, and for a part of the log that is missing
 */
export async function* walkHome(source: HomeSource, from: Place, checkpoint: string): AsyncGenerator<Step> {
  const { size } = checkpointIn(checkpoint)
  let at = from
  while (at.stage !== 'end') {
    for await (const step of stageFrom(source, at, size)) yield step
    at = stageAfter(at.stage)
    yield { items: [], next: at, counts: NONE }
  }
}

const NONE = { chains: 0, blocks: 0, logFiles: 0 }

function stageFrom(source: HomeSource, at: Place, size: number): AsyncGenerator<Step> {
  if (at.stage === 'chains') return chainsFrom(source, at)
  if (at.stage === 'log') return logFrom(source, at.at, size)
  if (at.stage === 'witnessed') return witnessedFrom(source, at.at, size)
  return registryFrom(source, at.at)
}

async function* chainsFrom(source: HomeSource, { chain: begun, at }: Place): AsyncGenerator<Step> {
  if (begun !== null && at !== BEHIND) yield* chainFrom(source, begun, at)
  for (let from = begun; ;) {
    const { items, next } = await source.chains(from)
    for (const { chain } of items) if (chain !== begun) yield* chainFrom(source, chain, 0)
    if (next === null) return
    from = next
  }
}

async function* chainFrom(source: HomeSource, chain: ChainId, from: number): AsyncGenerator<Step> {
  let height = from
  for (;;) {
    const { items } = await source.blocks(chain, height)
    if (items.length === 0) break
    for (const compact of items) {
      const next: Place = { stage: 'chains', chain, at: height + 1 }
      yield { items: await blockItems(source, chain, height, compact), next, counts: { ...NONE, blocks: 1 } }
      height++
    }
  }
  const items = (await source.erased(chain)).map((statement, i) =>
    item('erased', `${chain}/${i}`, utf8(statement)),
  )
  const moved = await source.moved(chain)
  if (moved.receipts.length > 0) items.push(item('moved', `${chain}/all`, canonicalBytes(moved)))
  items.push(item('end', chain, utf8(String(height - 1))))
  yield { items, next: { stage: 'chains', chain, at: BEHIND }, counts: { ...NONE, chains: 1 } }
}

async function blockItems(
  source: HomeSource,
  chain: ChainId,
  height: number,
  compact: string,
): Promise<readonly Item[]> {
  const { block } = readable(chain, height, compact)
  const items = [item('block', `${chain}/${height}`, utf8(compact))]
  const { row, packages, label } = partNames(block)
  if (block.entries && row !== null) {
    const { root } = block.entries
    const [object, keys] = [
      await source.object(chain, root, maxObjectBytes(block.entries)),
      await source.keyRow(chain, row),
    ]
    // What is not there was erased, or is lost: a restore tells the one from the other.
    if (object) items.push(item(object.length < LARGE_BYTES ? 'object' : 'large', `${chain}/${root}`, object))
    if (keys) items.push(item('row', `${chain}/${row}`, keys))
  }
  if (packages !== null || label !== null)
    items.push(item('keys', `${chain}/${height}`, canonicalBytes(await source.blockKeys(chain, height))))
  return items
}

function readable(chain: ChainId, height: number, compact: string): ParsedBlock {
  try {
    const parsed = parseBlock(compact)
    if (parsed.chain === chain && parsed.block.height === height) return parsed
  } catch (cause) {
    throw damaged(chain, height, cause)
  }
  throw damaged(chain, height)
}

function damaged(chain: ChainId, height: number, cause?: unknown): AmpereError {
  const message = `chain ${chain}, block ${height} was changed: what is damaged is not backed up`
  return new AmpereError('STORE_CORRUPT', message, { cause })
}

async function* logFrom(source: HomeSource, from: number, size: number): AsyncGenerator<Step> {
  let at = 0
  for (const path of logFiles(size)) {
    if (at++ < from) continue
    const bytes = await source.logFile(path)
    if (!bytes) throw new AmpereError('STORE_CORRUPT', `the log has no ${path}`)
    const next: Place = { stage: 'log', chain: null, at }
    yield { items: [item('file', path, bytes)], next, counts: { ...NONE, logFiles: 1 } }
  }
}

async function* witnessedFrom(source: HomeSource, from: number, size: number): AsyncGenerator<Step> {
  for (let at = from; ;) {
    const { items, next } = await source.witnessed(at)
    for (const note of items) {
      const here = checkpointIn(note).size
      if (here > size) return
      const after: Place = { stage: 'witnessed', chain: null, at: here + 1 }
      yield { items: [item('witnessed', String(here), utf8(note))], next: after, counts: NONE }
    }
    if (next === null) return
    at = next
  }
}

async function* registryFrom(source: HomeSource, from: number): AsyncGenerator<Step> {
  for (let height = from; ;) {
    const { items } = await source.registryBlocks(height)
    if (items.length === 0) return
    for (const compact of items) {
      const next: Place = { stage: 'registry', chain: null, at: height + 1 }
      yield { items: [item('registry', String(height), utf8(compact))], next, counts: NONE }
      height++
    }
  }
}

function item(kind: Item['kind'], name: string, bytes: Uint8Array): Item {
  return { kind, name, bytes }
}
