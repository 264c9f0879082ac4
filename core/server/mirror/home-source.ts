// SPDX-License-Identifier: Apache-2.0
import type * as v from 'valibot'
import type { ChainId, DeploymentId } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import { blockKeysAnswer, blocksAnswer, erasedAnswer, heldAnswer, notesAnswer } from '../../api/answers.ts'
import { MAX_ANSWER_BYTES, MAX_ERASED_TOTAL_BYTES } from '../../api/limits.ts'
import { copyAnswer, type CopyAnswer } from '../../api/mirrored.ts'
import { LOG_PREFIX } from '../../api/log.ts'
import { AmpereError } from '../../errors.ts'
import { failed, fetched, jsonOf, textOf, type Asking } from './ask-home.ts'
import type { HomeSource } from '../copy/source.ts'

/** Bytes of a tile, or of a bundle with entries of 65 bytes, at most. */
const MAX_TILE_BYTES = 256 * 67

interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | number | null
}

/** Paths below which a source answers alike: a home its own, a mirror those of its copy of one. */
interface Paths {
  readonly api: string
  readonly log: string
}

/**
 * A home over HTTP as a source, asked as one app instance of an institution that is granted to hold. Every answer is bounded
 * in bytes and time. Its methods throw UPSTREAM_FAILED whatever fails, NOT_FOUND where the home says so.
 */
export function homeSource(asking: Asking, origin: string): HomeSource {
  return sourceAt(asking, origin, { api: '/v1', log: LOG_PREFIX })
}

/** A mirror's copy of a home as a source, asked as an app instance of the home's institution; as `homeSource`. */
export function mirrorSource(asking: Asking, origin: string, deployment: DeploymentId): HomeSource {
  const api = `/v1/copies/${deployment}`
  return sourceAt({ ...asking, who: 'the mirror' }, origin, { api, log: `${api}/log/files` })
}

/** Of which home a mirror has a copy, and since when. @throws AmpereError UPSTREAM_FAILED, NOT_FOUND */
export function askCopy(asking: Asking, origin: string, deployment: DeploymentId): Promise<CopyAnswer> {
  const url = new URL(`/v1/copies/${deployment}`, origin)
  return parsed({ ...asking, who: 'the mirror' }, url, copyAnswer, MAX_ANSWER_BYTES.receipt)
}

function sourceAt(asking: Asking, origin: string, { api, log }: Paths): HomeSource {
  const get = (path: string, max: number) => fetched(asking, new URL(path, origin), max)
  const json = <S extends v.GenericSchema>(path: string, schema: S, max: number) =>
    parsed(asking, new URL(api + path, origin), schema, max)
  const { blocks, blockKeys, held, erased, row, notes } = MAX_ANSWER_BYTES
  const { who } = asking
  return {
    registryBlocks: (from) => json(`/registry/blocks?from=${from}`, blocksAnswer, blocks),
    chains: () => allPages((query) => json(`/held${query}`, heldAnswer, held), who),
    blocks: (chain, from) => json(`${at(chain)}/blocks?from=${from}`, blocksAnswer, blocks),
    keyRow: (chain, name) => get(`${api}${at(chain)}/rows/${name}`, row),
    object: (chain, root, maxBytes) => get(`${api}${at(chain)}/objects/${root}`, maxBytes),
    blockKeys: (chain, height) => json(`${at(chain)}/keys/${height}`, blockKeysAnswer, blockKeys),
    erased: (chain) =>
      statementsOf(
        allPages((query) => json(`${at(chain)}/erased${query}`, erasedAnswer, erased), who),
        who,
      ),
    checkpoint: async () => {
      const bytes = await get(`${log}/checkpoint`, notes)
      return bytes && textOf(bytes, who)
    },
    witnessed: () => allPages((query) => json(`/log/witnessed${query}`, notesAnswer, notes), who),
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

/** Every item of a list in turn. @throws AmpereError UPSTREAM_FAILED for pages that lead back */
async function* allPages<T>(
  page: (query: string) => Promise<Page<T>>,
  who: string | undefined,
): AsyncIterable<T> {
  const seen = new Set<string | number>()
  for (let query = ''; ;) {
    const { items, next } = await page(query)
    yield* items
    if (next === null) return
    if (seen.has(next)) throw failed('pages through a list without end', who)
    seen.add(next)
    query = `?from=${encodeURIComponent(next)}`
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
