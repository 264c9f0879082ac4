// SPDX-License-Identifier: Apache-2.0
import type * as v from 'valibot'
import type { ChainId } from '../../bytes/ids.ts'
import { parseWith } from '../../bytes/schema.ts'
import { blockKeysAnswer, blocksAnswer, erasedAnswer, heldAnswer, notesAnswer } from '../../api/answers.ts'
import { MAX_ANSWER_BYTES, MAX_ERASED_TOTAL_BYTES } from '../../api/limits.ts'
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

/**
 * A home over HTTP as a source, asked as one app instance of an institution that is granted to hold. Every answer is bounded
 * in bytes and time. Its methods throw UPSTREAM_FAILED whatever fails, NOT_FOUND where the home says so.
 */
export function homeSource(asking: Asking, origin: string): HomeSource {
  const get = (path: string, max: number) => fetched(asking, new URL(path, origin), max)
  const json = async <S extends v.GenericSchema>(
    path: string,
    schema: S,
    max: number,
  ): Promise<v.InferOutput<S>> => {
    const bytes = await get(path, max)
    if (!bytes) throw new AmpereError('NOT_FOUND', 'the home knows no such thing')
    return parseWith(schema, jsonOf(bytes), 'UPSTREAM_FAILED', 'answer')
  }
  const { blocks, blockKeys, held, erased, row, notes } = MAX_ANSWER_BYTES
  return {
    registryBlocks: (from) => json(`/v1/registry/blocks?from=${from}`, blocksAnswer, blocks),
    chains: () => allPages((query) => json(`/v1/held${query}`, heldAnswer, held)),
    blocks: (chain, from) => json(`${at(chain)}/blocks?from=${from}`, blocksAnswer, blocks),
    keyRow: (chain, name) => get(`${at(chain)}/rows/${name}`, row),
    object: (chain, root, maxBytes) => get(`${at(chain)}/objects/${root}`, maxBytes),
    blockKeys: (chain, height) => json(`${at(chain)}/keys/${height}`, blockKeysAnswer, blockKeys),
    erased: (chain) =>
      statementsOf(allPages((query) => json(`${at(chain)}/erased${query}`, erasedAnswer, erased))),
    checkpoint: async () => {
      const bytes = await get(`${LOG_PREFIX}/checkpoint`, notes)
      return bytes && textOf(bytes)
    },
    witnessed: () => allPages((query) => json(`/v1/log/witnessed${query}`, notesAnswer, notes)),
    logFile: (path) => get(`${LOG_PREFIX}/${path}`, MAX_TILE_BYTES),
  }
}

function at(chain: ChainId): string {
  return `/v1/chains/${chain}`
}

/** Every item of a list in turn. @throws AmpereError UPSTREAM_FAILED for pages that lead back */
async function* allPages<T>(page: (query: string) => Promise<Page<T>>): AsyncIterable<T> {
  const seen = new Set<string | number>()
  for (let query = ''; ;) {
    const { items, next } = await page(query)
    yield* items
    if (next === null) return
    if (seen.has(next)) throw failed('pages through a list without end')
    seen.add(next)
    query = `?from=${encodeURIComponent(next)}`
  }
}

async function statementsOf(pages: AsyncIterable<string>): Promise<readonly string[]> {
  const items: string[] = []
  let characters = 0
  for await (const item of pages) {
    characters += item.length
    if (characters > MAX_ERASED_TOTAL_BYTES) throw failed('has erasure statements without end')
    items.push(item)
  }
  return items
}
