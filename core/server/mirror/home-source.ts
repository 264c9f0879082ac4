// SPDX-License-Identifier: Apache-2.0
import type * as v from 'valibot'
import type { ChainId, DeploymentId } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import {
  blockKeysAnswer,
  blocksAnswer,
  erasedAnswer,
  heldAnswer,
  movedAnswer,
  notesAnswer,
  type MovedAnswer,
} from '../../api/answers.ts'
import { MAX_ANSWER_BYTES, MAX_ERASED_TOTAL_BYTES, MAX_MOVED_TOTAL_BYTES } from '../../api/limits.ts'
import { copyAnswer, type CopyAnswer } from '../../api/mirrored.ts'
import { LOG_PREFIX } from '../../api/log.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { CHAIN_CHARACTERS } from '../store/attempt.ts'
import { failed, fetched, fetchedInRanges, jsonOf, textOf, type Asking } from './ask-home.ts'
import type { HomeSource } from '../copy/source.ts'
import { movedOf, type MovedReceipts } from '../store/moved-receipts.ts'

/** Bytes of a tile, or of a bundle with entries of 65 bytes, at most. */
const MAX_TILE_BYTES = 256 * 67

interface Page<T, N extends string | number> {
  readonly items: readonly T[]
  readonly next: N | null
}

/** Paths below which a source answers alike: a home its own, a mirror those of its copy of one. */
interface Paths {
  readonly api: string
  readonly log: string
  /** What the order of the chains that it lists compares. */
  readonly place: (chain: ChainId) => string
}

/**
 * A home over HTTP as a source, asked as one app instance of an institution that is granted to hold. Every answer is bounded
 * in bytes and time. Its methods throw UPSTREAM_FAILED whatever fails, NOT_FOUND where the home says so.
 */
export function homeSource(asking: Asking, origin: string): HomeSource {
  return sourceAt(asking, origin, { api: '/v1', log: LOG_PREFIX, place: (chain) => chain })
}

/** A mirror's copy of a home as a source, asked as an app instance of the home's institution; as `homeSource`. */
export function mirrorSource(asking: Asking, origin: string, deployment: DeploymentId): HomeSource {
  const api = `/v1/copies/${deployment}`
  return sourceAt({ ...asking, who: 'the mirror' }, origin, {
    api,
    log: `${api}/log/files`,
    place: placeInCopy,
  })
}

/** Of which home a mirror has a copy, and since when. @throws AmpereError UPSTREAM_FAILED, NOT_FOUND */
export function askCopy(asking: Asking, origin: string, deployment: DeploymentId): Promise<CopyAnswer> {
  const url = new URL(`/v1/copies/${deployment}`, origin)
  return parsed({ ...asking, who: 'the mirror' }, url, copyAnswer, MAX_ANSWER_BYTES.receipt)
}

/** Copies list their chains by the first character, in the order of the alphabet of base64url. */
function placeInCopy(chain: ChainId): string {
  const first = CHAIN_CHARACTERS.indexOf(chain.slice(0, 1))
  return `${String(first).padStart(2, '0')} ${chain}`
}

function sourceAt(asking: Asking, origin: string, { api, log, place }: Paths): HomeSource {
  const get = (path: string, max: number) => fetched(asking, new URL(path, origin), max)
  const json = <S extends v.GenericSchema>(path: string, schema: S, max: number) =>
    parsed(asking, new URL(api + path, origin), schema, max)
  const { blocks, blockKeys, held, erased, moved, row, notes } = MAX_ANSWER_BYTES
  const { who } = asking
  return {
    registryBlocks: (from) => json(`/registry/blocks?from=${from}`, blocksAnswer, blocks),
    chains: async (from) => ascending(await json(`/held${query(from)}`, heldAnswer, held), from, place, who),
    blocks: (chain, from) => json(`${at(chain)}/blocks?from=${from}`, blocksAnswer, blocks),
    keyRow: (chain, name) => get(`${api}${at(chain)}/rows/${name}`, row),
    object: (chain, root, maxBytes) =>
      fetchedInRanges(asking, new URL(`${api}${at(chain)}/objects/${root}`, origin), maxBytes),
    blockKeys: (chain, height) => json(`${at(chain)}/keys/${height}`, blockKeysAnswer, blockKeys),
    erased: (chain) =>
      statementsOf(
        allPages((from) => json(`${at(chain)}/erased${query(from)}`, erasedAnswer, erased), who),
        who,
      ),
    moved: async (chain) => {
      const page = (from: number) => json(`${at(chain)}/moved?from=${from}`, movedAnswer, moved)
      return receiptsOf(page, who)
    },
    checkpoint: async () => {
      const bytes = await get(`${log}/checkpoint`, notes)
      return bytes && textOf(bytes, who)
    },
    witnessed: async (from) => {
      const page = await json(`/log/witnessed${query(from)}`, notesAnswer, notes)
      if (page.items.length === 0 && page.next !== null) throw endless(who)
      return ascending(page, from, (size) => size, who)
    },
    logFile: (path) => get(`${log}/${path}`, MAX_TILE_BYTES),
  }
}

async function parsed<S extends v.GenericSchema>(
  asking: Asking,
  url: URL,
  schema: S,
  max: number,
): Promise<v.InferOutput<S>> {
  const bytes = await fetched(asking, url, max)
  if (!bytes) throw new AmpereError('NOT_FOUND', `${asking.who ?? 'the home'} knows no such thing`)
  return parseWith(schema, jsonOf(bytes, asking.who), 'UPSTREAM_FAILED', 'answer')
}

function at(chain: ChainId): string {
  return `/chains/${chain}`
}

function query(from: string | number | null): string {
  return from === null ? '' : `?from=${encodeURIComponent(from)}`
}

/** A page whose `next` is behind where it began: so no list leads back. @throws AmpereError UPSTREAM_FAILED */
function ascending<T extends string | number, P extends Page<unknown, T>>(
  page: P,
  from: T | null,
  place: (next: T) => string | number,
  who: string | undefined,
): P {
  if (page.next !== null && from !== null && place(page.next) <= place(from)) throw endless(who)
  return page
}

function endless(who: string | undefined) {
  return failed('pages through a list without end', who)
}

/** All receipts of other homes of a chain. @throws AmpereError UPSTREAM_FAILED also for what is none, and for more than can be */
async function receiptsOf(
  page: (from: number) => Promise<MovedAnswer>,
  who: string | undefined,
): Promise<MovedReceipts> {
  const items: MovedAnswer['items'] = []
  let characters = 0
  for (let from: number | null = 0; from !== null;) {
    const given: MovedAnswer = ascending(await page(from), from, (height) => height, who)
    items.push(...given.items)
    characters += given.items.reduce((sum, { proof }) => sum + proof.length, 0)
    if (given.items.length === 0 && given.next !== null) throw endless(who)
    if (characters > MAX_MOVED_TOTAL_BYTES) throw failed('has receipts of other homes without end', who)
    from = given.next
  }
  try {
    return movedOf(items)
  } catch (cause) {
    if (!isAmpereError(cause, 'LOG_MALFORMED')) throw cause
    throw failed('gives a receipt that is none', who)
  }
}

/** Every item of a list whose cursors have no order. @throws AmpereError UPSTREAM_FAILED for a page that is empty and not the last */
async function* allPages<T>(
  page: (from: string | null) => Promise<Page<T, string>>,
  who: string | undefined,
): AsyncIterable<T> {
  for (let from: string | null = null; ;) {
    const { items, next } = await page(from)
    yield* items
    if (next === null) return
    if (items.length === 0) throw endless(who)
    from = next
  }
}

async function statementsOf(
  pages: AsyncIterable<string>,
  who: string | undefined,
): Promise<readonly string[]> {
  const items: string[] = []
  let characters = 0
  for await (const item of pages) {
    characters += item.length
    if (characters > MAX_ERASED_TOTAL_BYTES) throw failed('has erasure statements without end', who)
    items.push(item)
  }
  return items
}
