// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '../../bytes/encoding.ts'
import type { ChainId, Digest } from '../../bytes/ids.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { BlocksAnswer, ErasedAnswer, HeadAnswer, PackagesAnswer } from '../../api/answers.ts'
import type { EpochPackage } from '../../api/append.ts'
import { MAX_PAGE_STATEMENTS } from '../../api/limits.ts'
import type { ControlState } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import type { Ports } from '../../ports/needs.ts'
import type { ByteRange } from '../../ports/objects.ts'
import { headStatement } from '../append/head.ts'
import type { Caller } from '../authenticate.ts'
import type { Home } from '../home.ts'
import { MAX_PAGE_BYTES } from '../store/page.ts'
import { blockPage, loadHead, loadState, objectName, parsePackage, rangeUnder } from '../store/rows.ts'

/** What reading uses: nothing it can write, and no key but the one for head statements. */
export const READER_NEEDS = {
  tables: {
    blocks: 'read',
    states: 'read',
    wraps: 'read',
    packages: 'read',
    labels: 'read',
    chains: 'read',
    receipts: 'read',
    registry: 'read',
    leaves: 'read',
    checkpoints: 'read',
  },
  objects: { entries: 'fetch', log: 'fetch' },
  keys: { head: 'sign' },
} as const
export type ReaderPorts = Ports<typeof READER_NEEDS>

/** A chain's newest block and state. @throws AmpereError NOT_FOUND */
export async function findChain(
  ports: { readonly tables: Pick<ReaderPorts['tables'], 'blocks' | 'states'> },
  chain: ChainId,
): Promise<{ readonly head: ParsedBlock; readonly state: ControlState }> {
  const head = await loadHead(ports.tables.blocks, chain)
  if (!head) throw new AmpereError('NOT_FOUND', 'no such chain')
  return { head, state: await loadState(ports.tables.states, chain, head.block.state) }
}

/** The newest block with a fresh head statement, which names the registry that was read to know who asks. */
export async function readHead(
  ports: ReaderPorts,
  home: Home,
  head: ParsedBlock,
  { registry }: Pick<Caller, 'registry'>,
): Promise<HeadAnswer> {
  return { block: head.compact, head: await headStatement(ports, home, head, registry) }
}

/** Blocks from a height on, in order. `limit` beyond a page gives a page. */
export async function readBlocks(
  ports: ReaderPorts,
  chain: ChainId,
  from: number,
  limit: number,
): Promise<BlocksAnswer> {
  return blockPage(ports.tables.blocks, chain, from, limit)
}

/** A block's key row, or null when it is missing. `name` is `<root>.<keys>`. */
export async function readKeyRow(
  ports: ReaderPorts,
  chain: ChainId,
  name: string,
): Promise<Uint8Array | null> {
  return (await ports.tables.wraps.get(chain, name))?.value ?? null
}

/** A block's sealed object or a part of it, or null when it is missing or shredded. */
export function readObject(
  ports: ReaderPorts,
  chain: ChainId,
  root: Digest,
  range?: ByteRange,
): Promise<Uint8Array | null> {
  return ports.objects.entries.fetch(objectName(chain, root), range)
}

/**
 * A page of the packages for this caller, and of the histories that lead to earlier epochs. Packages of steps that never
 * committed may be among them; their seeds give no public key of the chain, so whoever opens them ignores them.
 * `cursor` is the `next` of the page before, or null for the first. @throws AmpereError REQUEST_MALFORMED
 */
export async function readPackages(
  ports: ReaderPorts,
  chain: ChainId,
  caller: Caller,
  cursor: string | null,
): Promise<PackagesAnswer> {
  const items: EpochPackage[] = []
  let bytes = 0
  let given = ''
  let from = cursor === null ? '' : `${keyOfCursor(cursor)}\u0000`
  for (;;) {
    const rows = await ports.tables.packages.range(chain, { from })
    for (const row of rows) {
      const item = parsePackage(row.value)
      if (item?.kind !== 'history' && item?.reader !== caller.reader) continue
      bytes += row.value.length + 1
      // Of the rows that somebody else may read the cursor says nothing.
      if (items.length > 0 && bytes > MAX_PAGE_BYTES) return { items, next: toBase64url(utf8(given)) }
      items.push(item)
      given = row.key
    }
    const last = rows.at(-1)
    if (!last || rows.length < 1000) return { items, next: null }
    from = `${last.key}\u0000`
  }
}

/**
 * A page of the signed statements that erasures were carried out: of this home, and of other holders.
 * `cursor` is the `next` of the page before, or null for the first. @throws AmpereError REQUEST_MALFORMED
 */
export async function readErased(
  ports: { readonly tables: Pick<ReaderPorts['tables'], 'receipts'> },
  chain: ChainId,
  cursor: string | null,
): Promise<ErasedAnswer> {
  const { from, to } = rangeUnder('erased')
  const rows = await ports.tables.receipts.range(chain, {
    from: cursor === null ? from : `${rowOfCursor(cursor)}\u0000`,
    to,
    limit: MAX_PAGE_STATEMENTS,
  })
  const last = rows.at(-1)
  const more = last && rows.length === MAX_PAGE_STATEMENTS
  return { items: rows.map((row) => fromUtf8(row.value)), next: more ? toBase64url(utf8(last.key)) : null }
}

function rowOfCursor(cursor: string): string {
  const key = keyOfCursor(cursor)
  if (key.startsWith('erased/')) return key
  throw new AmpereError('REQUEST_MALFORMED', 'the cursor is not one of ours')
}

function keyOfCursor(cursor: string): string {
  try {
    return fromUtf8(fromBase64url(cursor))
  } catch (cause) {
    throw new AmpereError('REQUEST_MALFORMED', 'the cursor is not one of ours', { cause })
  }
}
