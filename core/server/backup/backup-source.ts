// SPDX-License-Identifier: Apache-2.0
import { parseCanonical } from '../../bytes/canonical-json.ts'
import { fromUtf8, isBase64url } from '../../bytes/encoding.ts'
import { asChainId, type ChainId } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import { blockKeysAnswer, type BlockKeysAnswer, type BlocksAnswer } from '../../api/answers.ts'
import { MAX_PAGE_BLOCKS, MAX_PAGE_NOTES } from '../../api/limits.ts'
import { checkpointIn } from '../../log/note/checkpoint.ts'
import { AmpereError } from '../../errors.ts'
import type { FetchObjects } from '../../ports/objects.ts'
import type { HomeSource } from '../copy/source.ts'
import { movedReceiptsSchema, type MovedReceipts } from '../store/moved-receipts.ts'
import { logFileIndex } from './format/log-files.ts'
import { largeName, type Begin, type Manifest } from './format/manifest.ts'
import type { Kind } from './format/part.ts'
import { BEHIND, type Place } from './format/place.ts'
import { openParts, type PartReader, type ReadPart } from './part-reader.ts'

/** A backup that is whole. */
export interface Backup {
  readonly begin: Begin
  readonly manifest: Manifest
}

/**
 * A backup as where a home's contents are copied from. Each part is held against the manifest when it is read, so that what
 * was damaged is named; nothing of it is believed for that. Of the parts a few are in memory at a time.
 * Its methods throw AmpereError STORE_CORRUPT for a part that is missing or changed.
 */
export function backupSource(files: FetchObjects, { begin, manifest }: Backup): HomeSource {
  const parts = openParts(files, manifest)
  const { size } = checkpointIn(begin.checkpoint)
  const bytesOf = async (chain: ChainId, kind: Kind, name: string) =>
    (await partWith(parts, chain, `${kind} ${chain}/${name}`))?.items.get(`${kind} ${chain}/${name}`) ?? null
  return {
    registryBlocks: async (from) => {
      const items = await run(parts, at('registry', from), `registry`, from, MAX_PAGE_BLOCKS)
      return { items, next: items.length === 0 ? null : from + items.length }
    },
    chains: (from) => chainPage(parts, from),
    blocks: (chain, from) => blocksOf(parts, chain, from),
    keyRow: (chain, name) => bytesOf(chain, 'row', name),
    object: async (chain, root) => {
      const inPart = await bytesOf(chain, 'object', root)
      if (inPart) return inPart
      return (await bytesOf(chain, 'large', root)) && files.fetch(largeName(chain, root))
    },
    blockKeys: async (chain, height) => parseKeys(await bytesOf(chain, 'keys', String(height))),
    erased: async (chain) => {
      const part = await partWith(parts, chain, `end ${chain}`)
      const under = `erased ${chain}/`
      return [...(part?.items ?? [])].flatMap(([name, bytes]) =>
        name.startsWith(under) ? [fromUtf8(bytes)] : [],
      )
    },
    moved: async (chain) => parseMoved(await bytesOf(chain, 'moved', 'all')),
    checkpoint: async () => begin.checkpoint,
    witnessed: (from) => witnessedFrom(parts, from),
    logFile: async (path) => {
      const index = logFileIndex(size, path)
      if (index === null) return null
      return (await parts.read(parts.indexAt(at('log', index))))?.items.get(`file ${path}`) ?? null
    },
  }
}

function at(stage: Place['stage'], place: number, chain: ChainId | null = null): Place {
  return { stage, chain, at: place }
}

/** The part of a chain that has this item; those near where the last one was found are looked at first, as chains are read in order. */
async function partWith(parts: PartReader, chain: ChainId, name: string): Promise<ReadPart | null> {
  const [first, last] = [parts.indexAt(at('chains', 0, chain)), parts.indexAt(at('chains', BEHIND, chain))]
  const begin = Math.min(Math.max(parts.lastRead(), first), last)
  for (let step = 0; step <= last - first; step++) {
    const index = first + ((begin - first + step) % (last - first + 1))
    const part = await parts.read(index)
    if (part?.items.has(name)) return part
  }
  return null
}

async function blocksOf(parts: PartReader, chain: ChainId, from: number): Promise<BlocksAnswer> {
  const items = await run(parts, at('chains', from, chain), `block ${chain}/`, from, MAX_PAGE_BLOCKS)
  return { items, next: items.length === 0 ? null : from + items.length }
}

/** Consecutive items from one on, as far as one part has them. */
async function run(
  parts: PartReader,
  place: Place,
  name: string,
  from: number,
  limit: number,
): Promise<string[]> {
  const part = await parts.read(parts.indexAt(place))
  const items: string[] = []
  const prefix = name.endsWith('/') ? name : `${name} `
  for (let next = from; items.length < limit; next++) {
    const bytes = part?.items.get(`${prefix}${next}`)
    if (!bytes) break
    items.push(fromUtf8(bytes))
  }
  return items
}

/** The chains that end in one part: those of all parts are in the order of their ids. */
async function chainPage(parts: PartReader, from: ChainId | null): ReturnType<HomeSource['chains']> {
  const start = from === null ? 0 : parts.indexAt(at('chains', 0, from))
  for (let index = start; index < parts.count; index++) {
    const part = await parts.read(index)
    if (part?.from.stage !== 'chains') break
    const items = [...part.items].flatMap(([name, bytes]) => {
      if (!name.startsWith('end ')) return []
      const [chain, height] = [chainIn(name), Number(fromUtf8(bytes))]
      return chain >= (from ?? '') && height >= 0 ? [{ chain, height }] : []
    })
    if (items.length > 0) return { items, next: await chainAfter(parts, index, part) }
  }
  return { items: [], next: null }
}

function chainIn(name: string): ChainId {
  const [, chain] = /^end ([\w-]{43})$/.exec(name) ?? []
  if (chain === undefined || !isBase64url(chain))
    throw new AmpereError('STORE_CORRUPT', 'a part of the backup names a chain that is none')
  return asChainId(chain)
}

/** The chain that goes on, or begins, in the part after this one. */
async function chainAfter(parts: PartReader, index: number, part: ReadPart): Promise<ChainId | null> {
  const { stage, chain, at: place } = part.next
  if (stage !== 'chains') return null
  if (place !== BEHIND) return chain
  const [first = ''] = (await parts.read(index + 1))?.items.keys() ?? []
  const [, found] = /^(?:block|end) ([\w-]{43})/.exec(first) ?? []
  return found === undefined ? null : asChainId(found)
}

async function witnessedFrom(parts: PartReader, from: number): ReturnType<HomeSource['witnessed']> {
  const items: string[] = []
  for (let index = parts.indexAt(at('witnessed', from)); index < parts.count; index++) {
    const part = await parts.read(index)
    if (!part || part.from.stage === 'registry') break
    for (const [name, bytes] of part.items) {
      const size = name.startsWith('witnessed ') ? Number(name.slice('witnessed '.length)) : -1
      if (size < from) continue
      if (items.length === MAX_PAGE_NOTES) return { items, next: size }
      items.push(fromUtf8(bytes))
    }
  }
  return { items, next: null }
}

function parseMoved(bytes: Uint8Array | null): MovedReceipts {
  if (!bytes) return { receipts: [], notes: [] }
  try {
    return parseWith(movedReceiptsSchema, parseCanonical(bytes), 'STORE_CORRUPT', 'receipts of other homes')
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a part of the backup has receipts that are none', { cause })
  }
}

function parseKeys(bytes: Uint8Array | null): BlockKeysAnswer {
  if (!bytes) return { packages: [], labelKey: null }
  try {
    return parseWith(blockKeysAnswer, parseCanonical(bytes), 'STORE_CORRUPT', 'keys of a block')
  } catch (cause) {
    throw new AmpereError('STORE_CORRUPT', 'a part of the backup has keys of a block that are none', {
      cause,
    })
  }
}
