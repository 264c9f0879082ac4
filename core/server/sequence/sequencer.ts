// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import { equalBytes } from '../../bytes/frame.ts'
import { timestampMs, toTimestamp } from '../../bytes/timestamp.ts'
import { AmpereError } from '../../errors.ts'
import { leafHash } from '../../log/merkle.ts'
import { decodeBundle } from '../../log/tile/bundle.ts'
import { EMPTY_EDGE, edgeOf, rootOf } from '../../log/tile/grow.ts'
import { hashAt } from '../../log/tile/hashes.ts'
import { bundlePath, TILE_WIDTH } from '../../log/tile/path.ts'
import { tileReader } from '../../log/tile/read-tile.ts'
import type { FetchObjects } from '../../ports/objects.ts'
import { logOriginOf } from '../../api/log.ts'
import type { Home } from '../home.ts'
import { LOG_PARTITION, loggedHeight, PUBLISHED_KEY, WITNESSED_PARTITION } from '../store/log.ts'
import { apply } from './apply.ts'
import { collect, type Known, type Skipped } from './collect.ts'
import { commitLog, growLog, type LogEdge } from './commit.ts'
import { createLabelFinder, type LabelFinder } from './labels/find-label.ts'
import { createMarkCleaner, type MarkCleaner } from './marks/clear-marks.ts'
import type { FreshMarks } from './marks/fresh-marks.ts'
import { createMarkReader } from './marks/read-marks.ts'
import type { SequencerPorts } from './needs.ts'
import { emptyMemory, trimMemory } from './pending.ts'
import { commitTree, emptyTree, loadTree, provedTree, type LoadedTree } from './tree.ts'

/** Blocks that one run logs at most, unless it is told otherwise. */
export const MAX_RUN_LEAVES = 4096

/** What came of a run. */
export interface SequenceReport {
  /** `lost`: another sequencer committed first, and this run changed nothing. */
  readonly outcome: 'idle' | 'logged' | 'lost'
  /** Leaves in the tree after it, as far as this run knows. */
  readonly size: number
  readonly added: number
  /** True when there is more to log already. */
  readonly more: boolean
  /** Chains that cannot be logged because of what the store holds; all others go on. */
  readonly skipped: readonly Skipped[]
  /** Time of the oldest mark that led to a block which this run logged, in milliseconds; null where there is none. */
  readonly oldestMs: number | null
}

/** Writes blocks into the log. Any number of sequencers may run beside each other; each runs once at a time. */
export interface Sequencer {
  /**
   * Finishes what the last commit promised, logs what is new, commits, publishes. When it throws, the outcome is not
   * known and need not be: the next run reads what was committed and goes on from there.
   * @param fresh where marks are said to be new: only there it looks, and it leaves old marks to the runs that look everywhere,
   *   of which there must be one each minute
   */
  run(fresh?: FreshMarks | null): Promise<SequenceReport>
}

/** What a sequencer knows between runs: all of it can be read again. */
interface Warm extends Known {
  readonly cleaner: MarkCleaner
}

/** Makes a sequencer of a home's log. */
export function createSequencer(
  ports: SequencerPorts,
  home: Home,
  maxLeaves: number = MAX_RUN_LEAVES,
): Sequencer {
  let warm: Warm | null = null
  const labels = createLabelFinder(ports.objects.log)
  return {
    run: async (fresh = null) => {
      const before = warm
      // Whatever goes wrong from here on, nothing that was known is relied on again.
      warm = null
      const current = await upToDate(ports, home, before, labels)
      const { next, report } = await logNews(ports, home, current, { maxLeaves, fresh })
      // Last, so that nothing which is to be logged waits for it. What it finds, the next run logs.
      const overlooked = fresh === null ? await current.cleaner.step(ports.now()) : []
      for (const { chain, height, since } of overlooked)
        current.marks.found(chain, height, timestampMs(since))
      warm = next
      return report
    },
  }
}

/** What is known if nobody else committed since, else what the stores say, with the last commit finished. */
async function upToDate(
  ports: SequencerPorts,
  home: Home,
  before: Warm | null,
  labels: LabelFinder,
): Promise<Warm> {
  for (;;) {
    const loaded = (await loadTree(ports.tables.checkpoints)) ?? (await begin(ports, home))
    if (before?.version === loaded.version) return before
    if (loaded.tree.checkpoint.origin !== logOriginOf(home.origin))
      throw new AmpereError('CONFIGURATION', 'the stored log has another origin than this home')
    const tree = await provedTree(ports, home, loaded.tree)
    if (await apply(ports, tree)) {
      return {
        tree,
        version: loaded.version,
        ...(await readEdge(ports, tree.checkpoint)),
        memory: emptyMemory(),
        labels,
        marks: createMarkReader(ports.tables.dirty, tree.cursor),
        cleaner: createMarkCleaner(ports.tables),
      }
    }
    const again = await loadTree(ports.tables.checkpoints)
    if (again?.version === loaded.version)
      throw new AmpereError('STORE_CORRUPT', 'the staging bundle of the committed tree is missing')
  }
}

/**
 * A log without a tree. Every mark that there is comes after its cursor.
 * @throws AmpereError STORE_CORRUPT when there was one: a log that was published is never begun again
 */
async function begin(ports: SequencerPorts, home: Home): Promise<LoadedTree> {
  if (await wasBegun(ports, home)) {
    // By another sequencer, since this one looked.
    const begun = await loadTree(ports.tables.checkpoints)
    if (begun) return begun
    throw new AmpereError('STORE_CORRUPT', 'the committed tree of the log is missing')
  }
  await commitTree(ports.tables.checkpoints, null, await emptyTree(ports, home, toTimestamp(0)))
  const loaded = await loadTree(ports.tables.checkpoints)
  if (!loaded) throw new AmpereError('STORE_UNAVAILABLE', 'the log is not there after it was begun')
  return loaded
}

async function wasBegun({ tables }: SequencerPorts, { registry }: Home): Promise<boolean> {
  const [published, [witnessed], logged] = await Promise.all([
    tables.checkpoints.get(LOG_PARTITION, PUBLISHED_KEY),
    tables.checkpoints.range(WITNESSED_PARTITION, { limit: 1 }),
    loggedHeight(tables.leaves, registry.pinned),
  ])
  return published !== null || witnessed !== undefined || logged >= 0
}

/** The right edge from the stored tiles, proved to be that of the committed tree. */
export async function readEdge(
  { objects }: { readonly objects: { readonly log: FetchObjects } },
  { size, root }: LoadedTree['tree']['checkpoint'],
): Promise<LogEdge> {
  const fetch = (path: string) => objects.log.fetch(path)
  const edge = size === 0 ? EMPTY_EDGE : await edgeOf(size, tileReader(fetch, size))
  if (!equalBytes(rootOf(edge), root)) throw changed()
  const width = size % TILE_WIDTH
  if (width === 0) return { edge, tail: [] }
  const bytes = await fetch(bundlePath({ index: Math.floor(size / TILE_WIDTH), width }))
  const tail = bytes ? decodeBundle(bytes, width) : []
  const hashes = edge.levels[0] ?? new Uint8Array(0)
  const isSame = (entry: Uint8Array, i: number) => equalBytes(leafHash(entry), hashAt(hashes, i))
  if (!bytes || !tail.every(isSame)) throw changed()
  return { edge, tail }
}

function changed(): AmpereError {
  return new AmpereError('STORE_CORRUPT', 'the stored log is not the tree that was committed')
}

async function logNews(
  ports: SequencerPorts,
  home: Home,
  warm: Warm,
  { maxLeaves, fresh }: { readonly maxLeaves: number; readonly fresh: FreshMarks | null },
): Promise<{ readonly next: Warm | null; readonly report: SequenceReport }> {
  const { tree, marks, memory } = warm
  const { size } = tree.checkpoint
  trimMemory(memory)
  await marks.look(ports.now(), fresh)
  const { runs, more, skipped, oldestMs } = await collect(ports, home, warm, maxLeaves)
  if (runs.length === 0)
    return { next: warm, report: { outcome: 'idle', size, added: 0, more: false, skipped, oldestMs } }
  const grown = growLog(warm, runs)
  const committed = await commitLog(ports, warm, grown, marks.cursor())
  if (!committed)
    return { next: null, report: { outcome: 'lost', size, added: 0, more: true, skipped, oldestMs } }
  await apply(ports, committed.tree, grown.staging)
  for (const { chain, blocks } of runs) {
    const position = blocks.at(-1)?.position
    if (!position) continue
    memory.positions.set(chain, position)
    memory.checked.add(chain)
    marks.logged(chain as ChainId, position.height)
  }
  const { edge, tail, added } = grown
  const report = { outcome: 'logged', size: edge.size, added, more, skipped, oldestMs } as const
  return { next: { ...warm, ...committed, edge, tail }, report }
}
