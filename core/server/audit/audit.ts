// SPDX-License-Identifier: Apache-2.0
import { asChainId, type ChainId } from '../../bytes/ids.ts'
import type { ReadTable } from '../../ports/table.ts'
import type { Home } from '../home.ts'
import { CHAIN_CHARACTERS } from '../store/attempt.ts'
import { chainPartition } from '../store/rows.ts'
import { auditChain } from './chain.ts'
import type { AuditorPorts } from './needs.ts'
import { auditRegistry } from './registry.ts'
import type { AuditFinding, AuditFlag, AuditReport, ChainReport } from './report.ts'

/** Every chain that the home holds, in an order that stays; `from` is one to begin with. */
export async function* listChains(
  ports: { readonly tables: { readonly chains: ReadTable } },
  from: ChainId | null = null,
): AsyncGenerator<ChainId> {
  const first = from === null ? 0 : CHAIN_CHARACTERS.indexOf(chainPartition(from))
  for (const partition of CHAIN_CHARACTERS.slice(first)) {
    for (let key: string = from !== null && partition === chainPartition(from) ? from : ''; ;) {
      const rows = await ports.tables.chains.range(partition, { from: key })
      for (const row of rows) yield asChainId(row.key)
      const last = rows.at(-1)
      if (!last) break
      key = `${last.key}\u0000`
    }
  }
}

/** An audit under way: the registry is verified, chains are on request. */
export interface OpenAudit {
  /** What is wrong with the registry itself. */
  readonly findings: readonly AuditFinding[]
  readonly chain: (chain: ChainId, progress: (blocks: number) => void) => Promise<ChainReport>
}

/** Verifies the registry from what is stored, once for all chains that are audited by it. */
export async function openAudit(ports: AuditorPorts, home: Home): Promise<OpenAudit> {
  const registry = await auditRegistry(ports, home)
  const newest = registry.history.height() < 0 ? null : registry.history.newest()
  const context = { ports, home, registry, newest }
  return {
    findings: registry.findings,
    chain: (chain, progress) => auditChain(context, chain, progress),
  }
}

/**
 * Verifies all that the home holds of the given chains, and its registry: every signature, rule, state, key row,
 * package, label key, sealed object, erasure and statement, from what is stored. `progress` is called after each
 * page of blocks; after `limit` chains the report says where to go on.
 */
export async function auditChains(
  ports: AuditorPorts,
  home: Home,
  chains: AsyncIterable<ChainId> | Iterable<ChainId>,
  progress: (blocks: number, chain: ChainId) => void = () => {},
  limit: number = Number.POSITIVE_INFINITY,
): Promise<AuditReport> {
  const audit = await openAudit(ports, home)
  const total = { chains: 0, blocks: 0, entries: 0, erased: 0 }
  const findings: AuditFinding[] = []
  const flags: AuditFlag[] = []
  let next: ChainId | null = null
  for await (const chain of chains) {
    if (total.chains >= limit) {
      next = chain
      break
    }
    const before = total.blocks
    const part = await audit.chain(chain, (blocks) => progress(before + blocks, chain))
    total.chains++
    total.blocks += part.blocks
    total.entries += part.entries
    total.erased += part.erased
    findings.push(...part.findings)
    flags.push(...part.flags)
  }
  return { ...total, findings: [...audit.findings, ...withoutTwins(findings)], flags, next }
}

/** A chain that is not listed is found by itself and by its record: once is enough. */
function withoutTwins(findings: readonly AuditFinding[]): readonly AuditFinding[] {
  const seen = new Set<string>()
  return findings.filter(({ chain, rule }) => {
    if (rule !== 'chain-row') return true
    const isNew = !seen.has(chain)
    seen.add(chain)
    return isNew
  })
}
