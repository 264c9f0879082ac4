// SPDX-License-Identifier: Apache-2.0
import { parseHead } from '../../api/head.ts'
import { evidenceOfHeads } from '../../evidence/build.ts'
import type { Connection } from '../connect.ts'
import { keepEvidence } from '../convict/keep-evidence.ts'
import type { Replica } from '../read/replica.ts'
import { newestRegistry } from '../convict/heads.ts'

/**
 * Keeps evidence of two head statements of one home: the one that its mirror was shown, and the one that this reader was. The
 * mirror's own statement is no part of it: it would convict nobody but the mirror.
 * @returns what is to be added to the message, as `keepEvidence`
 */
export async function convictByMirror(
  { ports, api, sync }: Connection,
  { chain, statement, head }: Replica,
  shown: string,
): Promise<string> {
  const { evidence, pins } = ports
  if (!evidence) return ''
  const { head: theirs } = parseHead(shown)
  return keepEvidence(evidence, { registry: pins.registry, logs: [] }, async () => {
    const blocks = await newestRegistry(sync)
    // Above the lower head up to the higher: what the home serves now leads to the head that it states now.
    const links = theirs.height < head.height ? await blocksAbove(api, chain, theirs.height, head.height) : []
    const registry = { id: pins.registry, blocks }
    return evidenceOfHeads({ origin: pins.origin, registry }, [shown, statement], links)
  })
}

async function blocksAbove(
  api: Connection['api'],
  chain: Replica['chain'],
  low: number,
  high: number,
): Promise<readonly string[]> {
  const links: string[] = []
  for (let next: number | null = low + 1; next !== null && links.length < high - low;) {
    const page = await api.blocks(chain, next)
    links.push(...page.items)
    next = page.items.length === 0 ? null : page.next
  }
  return links.slice(0, high - low)
}
