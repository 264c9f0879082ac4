// SPDX-License-Identifier: Apache-2.0
import { asChainId, type ChainId, type DeploymentId, type Digest } from '../../bytes/ids.ts'
import type { HeldAnswer } from '../../api/answers.ts'
import { MAX_PAGE_HELD } from '../../api/limits.ts'
import { parseHead } from '../../api/head.ts'
import type { CopiesAnswer, CopyAnswer, MirroredAnswer } from '../../api/mirrored.ts'
import { AmpereError } from '../../errors.ts'
import { recordOf } from '../../registry/snapshot.ts'
import type { Caller } from '../authenticate.ts'
import type { ReadStores } from '../copy/stores.ts'
import type { Home } from '../home.ts'
import { CHAIN_CHARACTERS } from '../store/attempt.ts'
import { loadBlock } from '../store/rows.ts'
import { createRegistrySource } from '../store/registry.ts'
import { readCopyOf, type KeeperPorts } from './copy-of.ts'
import { readFailedRuns, readLastRun } from './last-run.ts'
import { readMirrored } from './statement.ts'

/** A home of which there is a copy, and what is pinned of it. */
export interface KeptHome {
  readonly deployment: DeploymentId
  readonly origin: string
  readonly registry: Digest
}

/** A copy as it is answered from. */
export interface Kept {
  readonly home: KeptHome
  readonly stores: ReadStores
  /** This deployment as whoever asks for the copy sees it: with the registry of the home that was copied. */
  readonly judge: Home
}

/** The copies of this deployment, each with its registry verified once. */
export function openKept(
  ports: KeeperPorts,
  own: Home,
  homes: () => readonly KeptHome[],
): { readonly all: () => readonly Kept[]; readonly find: (deployment: DeploymentId) => Kept | null } {
  const opened = new Map<string, Kept>()
  const open = (home: KeptHome): Kept => {
    const name = `${home.deployment} ${home.registry}`
    const known = opened.get(name)
    if (known) return known
    const stores = readCopyOf(ports, home.deployment)
    const registry = createRegistrySource(stores.tables.registry, home.registry, own.verifiers)
    const kept = { home, stores, judge: { ...own, registry } }
    opened.set(name, kept)
    return kept
  }
  return {
    all: () => homes().map(open),
    find: (deployment) => {
      const home = homes().find((each) => each.deployment === deployment)
      return home ? open(home) : null
    },
  }
}

/**
 * May this caller have the whole copy? Who keeps the lost home may: an instance with capability `control` of the
 * institution to which the copied registry gives that deployment. @throws AmpereError FORBIDDEN
 */
export async function checkMayRestore({ home, judge }: Kept, caller: Caller): Promise<void> {
  const newest = (await judge.registry.refresh()).newest()
  const owner = recordOf(newest, 'deployment', home.deployment)?.institution ?? null
  if (owner !== null && owner === caller.institution && caller.capabilities.includes('control')) return
  throw new AmpereError('FORBIDDEN', 'only the institution of the home that was copied gets the copy')
}

/**
 * May this caller know what came of the runs of this mirror? Who operates it may: an instance with capability `control` of the
 * institution to which this deployment belongs. @throws AmpereError FORBIDDEN
 */
export async function checkOperates(own: Home, caller: Caller): Promise<void> {
  const newest = (await own.registry.refresh()).newest()
  const owner = recordOf(newest, 'deployment', own.deployment)?.institution ?? null
  if (owner !== null && owner === caller.institution && caller.capabilities.includes('control')) return
  throw new AmpereError('FORBIDDEN', 'only the institution of this deployment is told of its mirror')
}

/** What came of the last runs of each home that is mirrored here. @throws AmpereError STORE_CORRUPT */
export async function describeRuns(all: readonly Kept[]): Promise<CopiesAnswer> {
  const items = all.map(async ({ home: { deployment, origin }, stores }) => {
    const [last, failed] = [await readLastRun(stores), await readFailedRuns(stores)]
    return {
      deployment,
      origin,
      last: last && { time: last.time, chains: last.chains, logSize: last.logSize, problems: last.problems },
      failed: failed && { since: failed.since, time: failed.time, code: failed.code, rule: failed.rule },
    }
  })
  return { items: await Promise.all(items) }
}

/** What there is of a home. */
export async function describeCopy({ home, stores }: Kept): Promise<CopyAnswer> {
  const { deployment, origin, registry } = home
  return { deployment, origin, registry, time: (await readLastRun(stores))?.time ?? null }
}

/** What this mirror said of a chain last, whichever home it is of. @throws AmpereError NOT_FOUND */
export async function findMirrored(all: readonly Kept[], chain: ChainId): Promise<MirroredAnswer> {
  for (const { stores } of all) {
    const said = await readMirrored(stores.tables.receipts, chain)
    // It outlives the copy, and what is begun anew does not hold it yet.
    const head = said && parseHead(said.mirrored).head
    if (head && (await loadBlock(stores.tables.blocks, chain, head.height))?.id === head.block) return said
  }
  throw new AmpereError('NOT_FOUND', 'no such chain is mirrored here')
}

/** A page of the chains of a copy with the height of their newest block. */
export async function listCopied({ stores: { tables } }: Kept, from: ChainId | null): Promise<HeldAnswer> {
  const items: HeldAnswer['items'] = []
  const first = from === null ? 0 : CHAIN_CHARACTERS.indexOf(from.slice(0, 1))
  for (const partition of CHAIN_CHARACTERS.slice(first)) {
    // One more than fits tells where the next page begins.
    const limit = MAX_PAGE_HELD + 1
    const range = from?.startsWith(partition) === true ? { from, limit } : { limit }
    for (const [at, { key }] of (await tables.chains.range(partition, range)).entries()) {
      const chain = asChainId(key)
      if (at === MAX_PAGE_HELD || items.length === MAX_PAGE_HELD) return { items, next: chain }
      const [head] = await tables.blocks.range(chain, { reverse: true, limit: 1 })
      if (head) items.push({ chain, height: Number(head.key) })
    }
  }
  return { items, next: null }
}
