// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toBase64url } from '../bytes/encoding.ts'
import { asChainId, type ChainId } from '../bytes/ids.ts'
import { descriptorLeaf, entryRange, readDescriptors } from '../block/entries-object.ts'
import { parseBlock } from '../block/open-block.ts'
import { keyRowLeaves, parseKeyRow } from '../block/key-row.ts'
import { foldBlocks } from '../chain/fold-blocks.ts'
import { stateBytes, type Link } from '../chain/state.ts'
import { digestOf, sha256Large } from '../crypto/hash.ts'
import { isAmpereError } from '../errors.ts'
import { rootOf } from '../log/merkle.ts'
import type { Ports } from '../ports/needs.ts'
import type { BlockEntries, EraseBlock } from '../block/block.ts'
import type { Home } from './home.ts'
import { heightKey, objectName, rowKey } from './store/rows.ts'

/** What auditing uses: it reads everything and changes nothing. */
export const AUDITOR_NEEDS = {
  tables: {
    blocks: 'read',
    states: 'read',
    wraps: 'read',
    packages: 'read',
    chains: 'read',
    receipts: 'read',
    registry: 'read',
  },
  objects: { entries: 'fetch' },
  keys: {},
} as const
export type AuditorPorts = Ports<typeof AUDITOR_NEEDS>

/** Something that a store or an author did, with the rule that shows it. */
export interface AuditFinding {
  readonly chain: ChainId
  readonly height: number
  readonly status: 'tampered' | 'missing'
  readonly rule: string
  readonly detail: string
}

/** What an audit of chains found. */
export interface AuditReport {
  readonly chains: number
  readonly blocks: number
  readonly entries: number
  readonly erased: number
  readonly findings: readonly AuditFinding[]
}

const PAGE = 500
/** Partitions of the list of chains: the first characters of chain ids. */
const PARTITIONS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Every chain that the home holds, always in the same order; from `first` on when it is given. */
export async function* listChains(
  ports: Pick<AuditorPorts, 'tables'>,
  first: ChainId | '' = '',
): AsyncGenerator<ChainId> {
  for (const partition of PARTITIONS.slice(PARTITIONS.indexOf(first.slice(0, 1)))) {
    for (let from: string = first.startsWith(partition) ? first : ''; ;) {
      const rows = await ports.tables.chains.range(partition, { from })
      for (const row of rows) yield asChainId(row.key)
      const last = rows.at(-1)
      if (!last) break
      from = `${last.key}\u0000`
    }
  }
}

/**
 * Verifies all that the home holds of the given chains: every signature, rule, state, key row and sealed object.
 * `progress` is called after each page of blocks.
 */
export async function auditChains(
  ports: AuditorPorts,
  home: Home,
  chains: AsyncIterable<ChainId> | Iterable<ChainId>,
  progress: (blocks: number) => void = () => {},
): Promise<AuditReport> {
  const total = { chains: 0, blocks: 0, entries: 0, erased: 0 }
  const findings: AuditFinding[] = []
  for await (const chain of chains) {
    total.chains++
    const part = await auditChain(ports, home, chain, (blocks) => progress(total.blocks + blocks))
    total.blocks += part.blocks
    total.entries += part.entries
    total.erased += part.erased
    findings.push(...part.findings)
  }
  return { ...total, findings }
}

async function auditChain(
  ports: AuditorPorts,
  home: Home,
  chain: ChainId,
  progress: (blocks: number) => void,
): Promise<Omit<AuditReport, 'chains'>> {
  const registry = await home.registry.refresh()
  const context = { chain, viewAt: registry.viewAt, keyOf: registry.keyOf, verifiers: home.verifiers }
  const findings: AuditFinding[] = []
  const erasures = await completedErasures(ports, chain)
  let parent: Link | null = null
  let entries = 0
  let erased = 0
  for (;;) {
    const height: number = parent ? parent.opened.block.height + 1 : 0
    const rows = await ports.tables.blocks.range(chain, { from: heightKey(height), limit: PAGE })
    if (rows.length === 0) break
    const gap = rows.findIndex((row, i) => row.key !== heightKey(height + i))
    const compacts = (gap < 0 ? rows : rows.slice(0, gap)).map((row) => fromUtf8(row.value))
    const folded = await foldBlocks(parent, compacts, context)
    for (const link of folded.links) {
      findings.push(...(await checkState(ports, chain, link)))
      if (!link.opened.block.entries) continue
      entries += link.opened.block.entries.count
      const result = await checkParts(ports, chain, link, erasures)
      findings.push(...result.findings)
      erased += result.erased
    }
    parent = folded.links.at(-1) ?? parent
    progress(parent ? parent.opened.block.height + 1 : 0)
    if (folded.broken) {
      const { violation, height: at } = folded.broken
      findings.push({ chain, height: at, status: 'tampered', rule: violation.rule, detail: violation.detail })
      break
    }
    if (gap >= 0) {
      findings.push({
        chain,
        height: height + gap,
        status: 'missing',
        rule: 'height',
        detail: 'a block is missing',
      })
      break
    }
  }
  return { blocks: parent ? parent.opened.block.height + 1 : 0, entries, erased, findings }
}

async function checkState(ports: AuditorPorts, chain: ChainId, link: Link): Promise<AuditFinding[]> {
  const { block } = link.opened
  if (block.type === 'record') return []
  const row = await ports.tables.states.get(chain, block.state)
  const at = { chain, height: block.height, rule: 'state-row' }
  if (!row) return [{ ...at, status: 'missing', detail: 'the control state is not stored' }]
  if (digestOf(row.value) === digestOf(stateBytes(link.state))) return []
  return [
    { ...at, status: 'tampered', detail: 'the stored control state is not the one that the rules give' },
  ]
}

type Erasures = readonly { readonly height: number; readonly body: EraseBlock['body'] }[]

async function completedErasures(ports: AuditorPorts, chain: ChainId): Promise<Erasures> {
  const found: { height: number; body: EraseBlock['body'] }[] = []
  for (let from = 0; ;) {
    const rows = await ports.tables.blocks.range(chain, { from: heightKey(from), limit: PAGE })
    for (const row of rows) {
      try {
        const { block } = parseBlock(fromUtf8(row.value))
        if (block.type === 'erase' && block.body.act === 'complete')
          found.push({ height: block.height, body: block.body })
      } catch (error) {
        // A block that cannot be read orders nothing; the fold names it.
        if (!isAmpereError(error)) throw error
      }
    }
    if (rows.length < PAGE) return found
    from += PAGE
  }
}

async function checkParts(
  ports: AuditorPorts,
  chain: ChainId,
  link: Link,
  erasures: Erasures,
): Promise<{ findings: AuditFinding[]; erased: number }> {
  const { block } = link.opened
  const { entries } = block
  if (!entries) return { findings: [], erased: 0 }
  const finding = (status: AuditFinding['status'], rule: string, detail: string): AuditFinding[] => [
    { chain, height: block.height, status, rule, detail },
  ]
  const gone = erasedCount(entries, block.height, erasures)
  const row = await ports.tables.wraps.get(chain, rowKey(entries))
  if (!row) return { findings: finding('missing', 'keys-row', 'the key row is not stored'), erased: gone }
  const checked = checkRow(entries, row.value)
  if (checked === null) {
    const detail = 'the stored key row differs from what was signed'
    return { findings: finding('tampered', 'keys-root', detail), erased: gone }
  }
  if (checked < gone)
    return { findings: finding('tampered', 'erased-key', 'an erased key is stored again'), erased: gone }
  if (checked > gone)
    return {
      findings: finding('missing', 'keys-row', 'a key was destroyed without an erasure'),
      erased: gone,
    }
  const object = await ports.objects.entries.fetch(objectName(chain, entries.root))
  if (!object) {
    if (gone === entries.count) return { findings: [], erased: gone }
    return { findings: finding('missing', 'object', 'the sealed object is not stored'), erased: gone }
  }
  const broken = await checkObject(entries, object)
  return {
    findings: broken ? finding('tampered', broken, 'the stored object differs from what was signed') : [],
    erased: gone,
  }
}

/** Number of tombstones, or null when the row is not the one that the block names. */
function checkRow(entries: BlockEntries, bytes: Uint8Array): number | null {
  try {
    const row = parseKeyRow(bytes)
    if (toBase64url(rootOf(keyRowLeaves(row))) !== entries.keys) return null
    return row.keys.filter((key) => 'erased' in key).length
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}

async function checkObject(entries: BlockEntries, object: Uint8Array): Promise<string | null> {
  try {
    const descriptors = readDescriptors(object)
    if (toBase64url(rootOf(descriptors.map(descriptorLeaf))) !== entries.root) return 'entries-root'
    for (const [i, descriptor] of descriptors.entries()) {
      const { start, end } = entryRange(descriptors, i)
      if (toBase64url(await sha256Large(object.subarray(start, end))) !== descriptor.hash) return 'entry-hash'
    }
    return null
  } catch (error) {
    if (isAmpereError(error)) return 'object-form'
    throw error
  }
}

function erasedCount(entries: BlockEntries, height: number, erasures: Erasures): number {
  const ids = new Set<string>()
  for (const { body, height: at } of erasures) {
    if (body.scope === 'record' && height < at) return entries.count
    for (const target of body.targets) if (target.height === height) for (const id of target.ids) ids.add(id)
  }
  return ids.size
}
