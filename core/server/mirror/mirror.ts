// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { logOriginOf } from '../../api/log.ts'
import { isAmpereError } from '../../errors.ts'
import type { RegistryHistory } from '../../registry/history.ts'
import { createRegistryHistory } from '../../registry/history.ts'
import { REGISTRY_PARTITION } from '../store/registry.ts'
import { BLOCKS_END } from '../store/rows.ts'
import type { HomeStores } from '../copy/stores.ts'
import {
  noteLastRun,
  noteRound,
  noteWitnessedFrom,
  readRound,
  readWitnessedFrom,
  type Round,
} from './last-run.ts'
import { copyOf, type MirrorPorts } from './copy-of.ts'
import { copyRegistry } from '../copy/copy-chain.ts'
import { copyLog, type LogContext } from '../copy/copy-log.ts'
import { copyWitnessed } from '../copy/copy-witnessed.ts'
import type { Asking } from './ask-home.ts'
import { homeSource } from './home-source.ts'
import type { MirroredHome } from './mirrored-home.ts'
import { mirrorChain, problemOf, type MirrorProblem, type Run } from './mirror-chain.ts'
import { allRows, type HomeSource } from '../copy/source.ts'
import { copyMovedReceipts } from '../restore/elsewhere.ts'

/** What came of a run. */
export interface MirrorReport {
  readonly chains: number
  readonly added: number
  /** Erasures that were carried out here and stated to the home. */
  readonly erased: number
  /** Chains of which it was stated that they are held. */
  readonly stated: number
  /** Entries of the log that the copy has. */
  readonly logSize: number
  /** True when something is left for the next run: of the log, chains, or blocks of one. */
  readonly more: boolean
  readonly problems: readonly MirrorProblem[]
}

/** How much one run does at most: what is left is for the next one, which goes on there. */
export interface RunBounds {
  /** Blocks of one chain, rounded up to a page: chains take turns. */
  readonly maxBlocks: number
  readonly maxChains: number
  /** Slices of the log, of `SLICE_BUNDLES` bundles each. */
  readonly maxSlices: number
  /** Pages of a list: of the chains, and of the witnessed checkpoints. */
  readonly maxPages: number
  /** Milliseconds, after which no other chain is begun, and after half of which no other slice of the log; after twice as many the home is asked for nothing any more. */
  readonly maxMs: number
}

/** A home with more than this is copied over several runs; one that lists chains without end costs this much a minute. */
export const RUN_BOUNDS: RunBounds = {
  maxBlocks: 2000,
  maxChains: 10_000,
  maxSlices: 256,
  maxPages: 200,
  maxMs: 600_000,
}

/**
 * Copies what is new in a home: registry, log, then every chain that it grants this institution to hold. The log comes
 * first, so that the copy of a chain is never behind that of the log once a round came to its end; one that is too large for a run is copied over several. Everything is verified as it
 * comes; nothing that verified is ever replaced, but by an erasure. May be repeated at any time, and goes on where it was:
 * a round that a run left is finished first, and then another one is begun. A chain at which a run fails is passed over by
 * the next, so that it keeps no other from being copied.
 * @throws AmpereError UPSTREAM_FAILED, STORE_UNAVAILABLE, and for the registry and the log what `copyLog` throws; what is
 * wrong with a chain is a problem in the report
 */
export async function mirrorChains(
  ports: MirrorPorts,
  home: MirroredHome,
  deadline: Asking['deadline'] = (ms) => AbortSignal.timeout(ms),
  bounds: Partial<RunBounds> = {},
): Promise<MirrorReport> {
  const { maxBlocks, maxChains, maxSlices, maxPages, maxMs } = { ...RUN_BOUNDS, ...bounds }
  const { fetch, now, random, keys } = ports
  const startMs = now()
  const isOver = () => now() - startMs >= maxMs
  const until = startMs + 2 * maxMs
  const asking: Asking = { fetch, now, random, signer: keys.instance, deadline, until }
  const source = homeSource(asking, home.origin)
  const to = copyOf(ports, home.deployment)
  const registry = await loadRegistry(to, home)
  const refreshRegistry = () => copyRegistry(source, to, registry)
  await refreshRegistry()
  const { verifiers, policy } = home
  const log = { origin: logOriginOf(home.origin), keys: home.logKeys, verifiers, policy }
  let slices = 0
  const goesOn = () => ++slices < maxSlices && now() - startMs < maxMs / 2
  const { logSize, more } = await mirrorLog(source, to, log, { goesOn, maxPages })
  const arriving = (chain: ChainId) => copyMovedReceipts(source, to, home, chain)
  const context = { home, registry, verifiers, refreshRegistry, isOver, arriving }
  const run: Run = { ports, home, asking, source, to, context, maxBlocks, isOver }
  const tally: Tally = { chains: 0, added: 0, erased: 0, stated: 0, more, problems: new Map() }
  const left = await readRound(to)
  for (const begun of left ? [left, null] : [null]) {
    const round = begun ?? {
      v: 1,
      since: toTimestamp(now()),
      from: null,
      isDone: false,
      isWhole: true,
      chains: 0,
      problems: 0,
    }
    const end = await goRound(run, round, tally, { maxChains, maxPages })
    if (!end) break
    const { since: time, chains, problems } = end
    // Without the rest of the log nobody can restore what was copied.
    if (end.isWhole && !more) await noteLastRun(to, { v: 1, time, chains, logSize, problems })
    await noteRound(to, null)
  }
  return { ...tally, logSize, problems: [...tally.problems.values()] }
}

/** What a run did so far. */
interface Tally {
  chains: number
  added: number
  erased: number
  stated: number
  more: boolean
  /** Each once, though two rounds may meet it. */
  readonly problems: Map<string, MirrorProblem>
}

/** @returns how many entries the copy of the log has, and whether a part of a larger tree is left for the next run */
async function mirrorLog(
  source: HomeSource,
  to: HomeStores,
  context: LogContext,
  { goesOn, maxPages }: { readonly goesOn: () => boolean; readonly maxPages: number },
): Promise<{ readonly logSize: number; readonly more: boolean }> {
  const { checkpoint, more } = await copyLog(source, to, context, goesOn)
  if (!checkpoint) return { logSize: 0, more }
  const from = await readWitnessedFrom(to)
  let pages = 0
  const { next } = await copyWitnessed(source, to, context, checkpoint.size, from, () => ++pages < maxPages)
  await noteWitnessedFrom(to, next)
  return { logSize: checkpoint.size, more }
}

/** Goes on with a round until it ends or a bound is met. @returns the round as it ended, or null where it is to be gone on with */
async function goRound(
  run: Run,
  round: Round,
  tally: Tally,
  { maxChains, maxPages }: Pick<RunBounds, 'maxChains' | 'maxPages'>,
): Promise<Round | null> {
  const leave = async (at: Round) => {
    tally.more = true
    await noteRound(run.to, at)
    return null
  }
  let at = round
  for (let pages = 1; ; pages++) {
    const { items, next } = await run.source.chains(at.from)
    for (const { chain, height } of items) {
      if (at.isDone && chain === at.from) continue
      if (run.isOver() || tally.chains >= maxChains) return leave(at)
      at = await lookAt(
        run,
        { ...at, from: chain, isDone: true, chains: at.chains + 1 },
        chain,
        height,
        tally,
      )
    }
    if (next === null) return at
    at = { ...at, from: next, isDone: false }
    if (pages >= maxPages || run.isOver()) return leave(at)
  }
}

/** Copies one chain. @returns the round with the problems that it has. @throws what ends a run, once the round is noted */
async function lookAt(
  run: Run,
  at: Round,
  chain: MirrorProblem['chain'],
  height: number,
  tally: Tally,
): Promise<Round> {
  tally.chains++
  let problems: readonly MirrorProblem[]
  let { isWhole } = at
  try {
    const done = await mirrorChain(run, chain, height)
    tally.added += done.added
    tally.erased += done.erased
    if (done.stated) tally.stated++
    tally.more ||= done.more
    isWhole &&= !done.more
    ;({ problems } = done)
  } catch (error) {
    try {
      problems = [problemOf(chain, error)]
    } catch (ending) {
      await noteRound(run.to, { ...at, problems: at.problems + 1 }).catch(ignoreOurs)
      throw ending
    }
  }
  for (const problem of problems) tally.problems.set(`${chain} ${problem.what}`, problem)
  return { ...at, isWhole, problems: at.problems + problems.length }
}

/** The error that ended the run is the one to tell. */
function ignoreOurs(error: unknown): void {
  if (!isAmpereError(error)) throw error
}

async function loadRegistry(to: HomeStores, home: MirroredHome): Promise<RegistryHistory> {
  const registry = createRegistryHistory(home.registry, home.verifiers)
  for await (const row of allRows(to.tables.registry, REGISTRY_PARTITION, { to: BLOCKS_END }))
    await registry.add(fromUtf8(row.value))
  return registry
}
