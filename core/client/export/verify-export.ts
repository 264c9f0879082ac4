// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '../../bytes/encoding.ts'
import { asChainId, type ChainId, type Digest } from '../../bytes/ids.ts'
import { chainId, digest, parseWith } from '../../bytes/schema.ts'
import { openHead, parseHead } from '../../api/head.ts'
import { foldBlocks } from '../../chain/fold-blocks.ts'
import type { Link } from '../../chain/state.ts'
import { sha256Large } from '../../crypto/hash.ts'
import { createVerifiers } from '../../crypto/signature.ts'
import { AmpereError } from '../../errors.ts'
import { entryRange } from '../../block/entries-object.ts'
import { createRegistryHistory, type RegistryHistory } from '../../registry/history.ts'
import { headKeyAt } from '../../registry/snapshot.ts'
import { checkedDescriptors, checkedRow } from '../read/open-entries.ts'

const headLine = v.strictObject({
  ampere: v.literal('export/v1'),
  chain: chainId,
  registry: digest,
  origin: v.string(),
})
const partLine = v.union([
  v.strictObject({ registryBlock: v.string() }),
  v.strictObject({ block: v.string() }),
  v.strictObject({ row: v.string(), of: v.string() }),
  v.strictObject({ object: v.string(), of: v.string() }),
  v.strictObject({ head: v.string() }),
])

/** What an export proves, without any server: which blocks stand, and what is wrong with the others' parts. */
export interface ExportReport {
  readonly chain: ChainId
  readonly registry: Digest
  readonly origin: string
  readonly blocks: number
  readonly entries: number
  readonly erased: number
  /** Time of the head statement: the record is complete as of then, as far as this home says. */
  readonly asOf: string
  readonly problems: readonly { readonly height: number; readonly rule: string; readonly detail: string }[]
}

interface Parts {
  readonly registryBlocks: string[]
  readonly blocks: string[]
  readonly rows: Map<string, string>
  readonly objects: Map<string, Uint8Array>
  head: string | null
}

/**
 * Verifies an export with nothing but itself and, if given, the pinned registry id: without a pin the
 * report says which registry vouches, and the reader decides whether to trust that one.
 * @throws AmpereError EXPORT_MALFORMED, VERIFICATION_FAILED
 */
export async function verifyExport(bytes: Uint8Array, pinnedRegistry?: Digest): Promise<ExportReport> {
  const lines = fromUtf8(bytes)
    .split('\n')
    .filter((line) => line !== '')
  const head = parseWith(headLine, parseLine(lines[0] ?? '', 1), 'EXPORT_MALFORMED', 'line 1')
  if (pinnedRegistry !== undefined && head.registry !== pinnedRegistry) {
    throw new AmpereError(
      'VERIFICATION_FAILED',
      'rule registry: the export is of another registry than the pinned one',
    )
  }
  const parts = collect(lines)
  const verifiers = createVerifiers()
  const registry = createRegistryHistory(head.registry, verifiers)
  for (const compact of parts.registryBlocks) await registry.add(compact)
  const context = { chain: asChainId(head.chain), viewAt: registry.viewAt, keyOf: registry.keyOf, verifiers }
  const links: Link[] = []
  for (let at = 0; at < parts.blocks.length; at += 500) {
    const folded = await foldBlocks(links.at(-1) ?? null, parts.blocks.slice(at, at + 500), context)
    links.push(...folded.links)
    if (folded.broken) {
      const { height, violation } = folded.broken
      throw new AmpereError(
        'VERIFICATION_FAILED',
        `rule ${violation.rule}: block ${height}: ${violation.detail}`,
      )
    }
  }
  const asOf = await checkHead(parts, links, registry, head.origin)
  const checked = await checkParts(links, parts)
  return {
    chain: context.chain,
    registry: head.registry,
    origin: head.origin,
    blocks: links.length,
    asOf,
    ...checked,
  }
}

async function checkHead(
  parts: Parts,
  links: readonly Link[],
  registry: RegistryHistory,
  origin: string,
): Promise<string> {
  if (parts.head === null) throw new AmpereError('EXPORT_MALFORMED', 'the export has no head statement')
  const key = headKeyAt(registry.newest(), parseHead(parts.head).jws.kid, origin)
  if (!key) {
    throw new AmpereError('VERIFICATION_FAILED', "rule head: the head statement is not by the home's key")
  }
  const head = await openHead(parts.head, key, createVerifiers())
  const last = links.at(-1)?.opened
  if (!last || head.chain !== last.chain || head.block !== last.id || head.height !== links.length - 1) {
    throw new AmpereError(
      'VERIFICATION_FAILED',
      'rule head: the export ends before or beside the stated head',
    )
  }
  return head.time
}

async function checkParts(
  links: readonly Link[],
  parts: Parts,
): Promise<Pick<ExportReport, 'entries' | 'erased' | 'problems'>> {
  const problems: { height: number; rule: string; detail: string }[] = []
  const erased = erasedBy(links)
  let entries = 0
  let gone = 0
  for (const { opened } of links) {
    const { block } = opened
    if (!block.entries) continue
    entries += block.entries.count
    const add = (rule: string, detail: string) => problems.push({ height: block.height, rule, detail })
    const text = parts.rows.get(`${block.entries.root}.${block.entries.keys}`)
    const row = text === undefined ? null : checkedRow(block.entries, utf8(text))
    if (text === undefined) add('keys-row', 'missing')
    else if (!row) add('keys-root', 'the key row differs from what was signed')
    const tombstones = row?.keys.filter((key) => 'erased' in key).length ?? 0
    const ordered = erased(block.height)
    const buried = ordered === 'all' ? tombstones : Math.min(tombstones, ordered.size)
    gone += buried
    // Whoever holds the store can put a tombstone anywhere; only the chain says what was erased.
    if (tombstones > buried) add('keys-row', 'a key was destroyed without an erasure')
    const object = parts.objects.get(block.entries.root)
    if (!object) {
      if (ordered !== 'all' && buried < block.entries.count) add('object', 'missing')
      continue
    }
    const descriptors = checkedDescriptors(block.entries, object)
    if (!descriptors) add('entries-root', 'the sealed object differs from what was signed')
    for (const [i, descriptor] of (descriptors ?? []).entries()) {
      const { start, end } = entryRange(descriptors ?? [], i)
      const hash = toBase64url(await sha256Large(object.subarray(start, end)))
      if (hash !== (descriptor.hash as string)) add('entry-hash', `entry ${i} differs from its descriptor`)
    }
  }
  return { entries, erased: gone, problems }
}

/** The entries of a height that completed erasures name, or all of them. */
function erasedBy(links: readonly Link[]): (height: number) => ReadonlySet<string> | 'all' {
  const ids = new Map<number, Set<string>>()
  let ended = -1
  for (const { opened } of links) {
    const { block } = opened
    if (block.type !== 'erase' || block.body.act !== 'complete') continue
    if (block.body.scope === 'record') ended = block.height
    for (const target of block.body.targets) {
      const known = ids.get(target.height) ?? new Set<string>()
      for (const id of target.ids) known.add(id)
      ids.set(target.height, known)
    }
  }
  return (height) => (height < ended ? 'all' : (ids.get(height) ?? new Set()))
}

function collect(lines: readonly string[]): Parts {
  const parts: Parts = { registryBlocks: [], blocks: [], rows: new Map(), objects: new Map(), head: null }
  for (const [i, line] of lines.entries()) {
    if (i === 0) continue
    const part = parseWith(partLine, parseLine(line, i + 1), 'EXPORT_MALFORMED', `line ${i + 1}`)
    if ('registryBlock' in part) parts.registryBlocks.push(part.registryBlock)
    else if ('block' in part) parts.blocks.push(part.block)
    else if ('row' in part) parts.rows.set(part.of, part.row)
    else if ('object' in part) parts.objects.set(part.of, fromBase64url(part.object))
    else parts.head = part.head
  }
  return parts
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new AmpereError('EXPORT_MALFORMED', `line ${number} is not JSON`, { cause })
  }
}
