// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { parseBlock, type ParsedBlock } from '../../block/open-block.ts'
import { packageKey } from '../../block/packages.ts'
import type { Append } from '../../api/append.ts'
import type { AppendAnswer } from '../../api/answers.ts'
import { stateBytes, type Link } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import type { Ports } from '../../ports/needs.ts'
import { erasureJob, JOBS_ERASE } from '../erase.ts'
import type { Home } from '../home.ts'
import {
  chainPartition,
  heightKey,
  loadBlock,
  loadHead,
  loadState,
  objectName,
  rowKey,
  statePartition,
} from '../store/rows.ts'
import { admit, type StoredHead } from './admit.ts'
import { headStatement } from './head.ts'
import { checkParts, labelRowKey } from './parts.ts'

/** What appending uses, and no more: the value behind its permissions. */
export const WRITER_NEEDS = {
  tables: {
    blocks: 'append',
    states: 'append',
    wraps: 'append',
    packages: 'append',
    labels: 'append',
    chains: 'append',
    dirty: 'append',
    jobs: 'append',
    registry: 'read',
  },
  objects: { entries: 'store' },
  keys: { head: 'sign' },
} as const
export type WriterPorts = Ports<typeof WRITER_NEEDS>

/** What an append came to: the block as it stands here, and the answer that says so. */
export interface Appended {
  readonly stored: ParsedBlock
  readonly answer: AppendAnswer
}

/**
 * Appends one block. The last write, of the block itself at its height if absent, is the only commit:
 * what was stored before it is unreachable until then and harmless afterwards.
 *
 * Durable when it resolves. The same signing input again is success, whatever was erased since.
 * @throws AmpereError HEAD_CONFLICT when another block has that height, and those of `admit`
 */
export async function appendBlock(ports: WriterPorts, home: Home, append: Append): Promise<Appended> {
  const parsed = parseBlock(append.block)
  const head = await loadHead(ports.tables.blocks, parsed.chain)
  const place = await findPlace(ports, parsed, head)
  if (place.stored) return answer(ports, home, place.stored)
  const link = await judge(ports, home, parsed, head)
  await checkParts(parsed, append, link.state)
  await storeParts(ports, parsed, append, link)
  return commit(ports, home, parsed)
}

/** Looks for the block itself first: a retry must answer before anything is judged or stored again. */
async function findPlace(
  ports: WriterPorts,
  parsed: ParsedBlock,
  head: ParsedBlock | null,
): Promise<{ stored: ParsedBlock | null }> {
  const { height } = parsed.block
  const next = (head?.block.height ?? -1) + 1
  if (height === next) return { stored: null }
  if (height > next) {
    if (!head) throw new AmpereError('NOT_FOUND', 'no such chain')
    throw new AmpereError('HEAD_CONFLICT', `the newest block here is ${next - 1}`)
  }
  const stored =
    height === head?.block.height ? head : await loadBlock(ports.tables.blocks, parsed.chain, height)
  if (stored?.id === parsed.id) return { stored }
  throw new AmpereError('HEAD_CONFLICT', `block ${height} exists; read on from ${height} and sign again`)
}

async function judge(
  ports: WriterPorts,
  home: Home,
  parsed: ParsedBlock,
  head: ParsedBlock | null,
): Promise<Link> {
  const registry = await home.registry.refresh()
  const stored: StoredHead | null = head
    ? { parsed: head, state: await loadState(ports.tables.states, head.block.state) }
    : null
  return admit(parsed, stored, registry, {
    verifiers: home.verifiers,
    nowMs: ports.now(),
    deployment: home.deployment,
  })
}

/** All parts at once: a store that groups writes makes them durable together. Unreachable until the block is there. */
async function storeParts(
  ports: WriterPorts,
  parsed: ParsedBlock,
  append: Append,
  link: Link,
): Promise<void> {
  const { block, chain } = parsed
  const { tables, objects } = ports
  const writes: Promise<unknown>[] = []
  if (block.entries && append.object && append.row !== null) {
    writes.push(
      objects.entries.store(objectName(chain, block.entries.root), append.object),
      tables.wraps.insert(chain, rowKey(block.entries), utf8(append.row)),
    )
  }
  for (const item of append.packages) {
    writes.push(tables.packages.insert(chain, packageKey(item), utf8(JSON.stringify(item))))
  }
  if (append.labelKey !== null) {
    const key = labelRowKey(link.state.epoch.number)
    writes.push(tables.labels.insert(chain, key, fromBase64url(append.labelKey)))
  }
  if (block.type === 'genesis')
    writes.push(tables.chains.insert(chainPartition(chain), chain, new Uint8Array(0)))
  if (block.type === 'erase' && block.body.act === 'complete') {
    writes.push(tables.jobs.insert(JOBS_ERASE, erasureJob(chain, block.height), utf8(parsed.id)))
  }
  // Unchanged states are named again, not stored again: a record block writes no state.
  if (block.type !== 'record') {
    writes.push(tables.states.insert(statePartition(block.state), block.state, stateBytes(link.state)))
  }
  const mark = `${toTimestamp(ports.now())}/${chain}`
  writes.push(tables.dirty.insert(dirtyShard(chain), mark, utf8(String(block.height))))
  await Promise.all(writes)
}

async function commit(ports: WriterPorts, home: Home, parsed: ParsedBlock): Promise<Appended> {
  const { blocks } = ports.tables
  const outcome = await blocks.insert(parsed.chain, heightKey(parsed.block.height), utf8(parsed.compact))
  if (outcome === 'inserted') return answer(ports, home, parsed)
  const row = await blocks.get(parsed.chain, heightKey(parsed.block.height))
  const stored = row ? parseBlock(fromUtf8(row.value)) : null
  if (stored?.id === parsed.id) return answer(ports, home, stored)
  throw new AmpereError(
    'HEAD_CONFLICT',
    `block ${parsed.block.height} exists; read on from it and sign again`,
  )
}

async function answer(ports: WriterPorts, home: Home, stored: ParsedBlock): Promise<Appended> {
  return { stored, answer: { block: stored.compact, head: await headStatement(ports, home, stored) } }
}

/** Shard of the dirty marks, by the chain's first character, so that marks spread evenly. */
export function dirtyShard(chain: ChainId): string {
  return chain.slice(0, 1)
}
