// SPDX-License-Identifier: Apache-2.0
import { asChainId, type ChainId, type Digest } from '../../bytes/ids.ts'
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import { openHead, parseHead } from '../../api/head.ts'
import { foldBlocks, type FoldContext } from '../../chain/fold-blocks.ts'
import type { Link } from '../../chain/state.ts'
import { createVerifiers, type Verifiers } from '../../crypto/signature.ts'
import { brokenRule } from '../../errors.ts'
import { createRegistryHistory, type RegistryHistory } from '../../registry/history.ts'
import { headKeyAt } from '../../registry/snapshot.ts'
import type { CompletedErasure, EvidenceSink, Monitors } from '../client.ts'
import { treesConvict } from '../complete/compared-trees.ts'
import type { Completeness } from '../complete/monitor-words.ts'
import { heightsIn, openBatches } from '../read/batches.ts'
import {
  erasureProgress,
  verifiedStatements,
  type ErasureContext,
  type ErasureProgress,
} from '../read/erasures.ts'
import { completedErasures, holderSpans } from '../read/replica.ts'
import type { Policy } from '../../log/policy/policy.ts'
import type { LogView } from '../receipt/judge-blocks.ts'
import { createShown, type Shown } from '../receipt/shown.ts'
import { worstStatus, type BlockStatus } from '../read/status.ts'
import { checkBlockParts, erasedBy, type ExportProblem } from './check-parts.ts'
import { judgeLookups, monitorProblems } from './lookup-lines.ts'
import { judgeExported } from './receipt-lines.ts'
import { brokenPart } from './failure.ts'
import { forkedBlocks } from './forked-blocks.ts'
import { readExportLines, type ExportParts } from './read-lines.ts'

/** What an export proves, without any server: which blocks stand, and what is wrong with the others' parts. */
export interface ExportReport {
  readonly chain: ChainId
  readonly registry: Digest
  readonly origin: string
  readonly blocks: number
  readonly entries: number
  readonly erased: number
  /** The status word of each block, by height. */
  readonly statuses: readonly BlockStatus[]
  /** How far each erasure is, by the statements in the file. */
  readonly erasures: readonly ErasureProgress[]
  /** What the receipts in the file prove; null without a policy, when nobody judges them. */
  readonly log: LogView | null
  /** Blocks whose receipt is in the file. */
  readonly receipts: number
  /** Time of the head statement: the record is complete as of then, as far as this home says. */
  readonly asOf: Timestamp
  /** As of when it is, by the answers of pinned monitors in the file. */
  readonly complete: Completeness
  readonly problems: readonly ExportProblem[]
}

/** Blocks that are verified at a time. */
const PAGE = 500

/** What the caller brings to a verification; all of it may be left out. */
export interface VerifyOptions {
  /** The registry to trust. Without it the report says which one vouches, and the reader decides. */
  readonly registry?: Digest
  /** Logs and witnesses to trust; without it no receipt is judged. */
  readonly policy?: Policy
  /** Monitors to believe, and how many of them must agree; without them nobody but the home says that there is no more. */
  readonly monitors?: Monitors
  /** ms since 1970 at which backups must have expired; the time of the head statement when left out. */
  readonly nowMs?: number
  /** Where evidence goes of a log that contradicts itself; it convinces whoever pins the log's keys in `policy`. */
  readonly evidence?: EvidenceSink
  /** What other files showed, with which this one is compared, and to which it is added (`createShown`). */
  readonly shown?: Shown
  /** Called after each page of blocks, with the blocks verified so far and their number. */
  readonly progress?: (done: number, total: number) => void
}

/**
 * Verifies an export with nothing but itself and, if given, the pinned registry and policy.
 * @throws AmpereError EXPORT_MALFORMED, VERIFICATION_FAILED, SIGNATURE_INVALID, JWS_MALFORMED, BLOCK_MALFORMED, UNSUPPORTED;
 *   `exportFailure` says what each means
 */
export async function verifyExport(bytes: Uint8Array, options: VerifyOptions = {}): Promise<ExportReport> {
  try {
    return await verifyParts(bytes, options)
  } catch (error) {
    throw brokenPart(error)
  }
}

async function verifyParts(bytes: Uint8Array, options: VerifyOptions): Promise<ExportReport> {
  const parts = readExportLines(bytes)
  const { first } = parts
  if (options.registry !== undefined && first.registry !== options.registry)
    throw brokenRule('registry', 'the export is of another registry than the pinned one')
  const verifiers = createVerifiers()
  const registry = createRegistryHistory(first.registry, verifiers)
  for (const compact of parts.registryBlocks) await registry.add(compact)
  if (registry.height() < 0) throw brokenRule('registry', 'the export holds no registry')
  const chain = asChainId(first.chain)
  const context = { chain, viewAt: registry.viewAt, keyOf: registry.keyOf, verifiers }
  const links = await foldAll(parts, context, options.progress)
  const { end, asOf } = await checkHead(parts, links, registry, verifiers)
  const nowMs = options.nowMs ?? timestampMs(asOf)
  const erasures = await progressOf(parts, links, registry, nowMs)
  const { shown = createShown(), policy = null, evidence = null } = options
  const log = policy
    ? await judgeExported(parts, links, {
        policy,
        records: registry.newest(),
        asOf,
        verifiers,
        evidence,
        treesOf: shown.treesOf,
      })
    : null
  const complete = await judgeLookups(parts, end, log, {
    policy,
    monitors: options.monitors ?? null,
    records: registry.newest(),
    verifiers,
    nowMs,
    comparing: { trees: shown.treesOf(first.origin), convict: treesConvict(policy, first.origin, evidence) },
  })
  const forked = await forkedBlocks(parts, links, log, { shown, policy, evidence })
  const { problems, ...checked } = await checkAll(links, parts, erasures, log, forked)
  return {
    chain,
    registry: first.registry,
    origin: first.origin,
    blocks: links.length,
    asOf,
    erasures,
    log,
    receipts: parts.receipts.size,
    complete,
    ...checked,
    problems: [...problems, ...monitorProblems(complete, log)],
  }
}

async function foldAll(
  parts: ExportParts,
  context: FoldContext,
  progress: VerifyOptions['progress'],
): Promise<readonly Link[]> {
  const links: Link[] = []
  for (let at = 0; at < parts.blocks.length; at += PAGE) {
    const folded = await foldBlocks(links.at(-1) ?? null, parts.blocks.slice(at, at + PAGE), context)
    links.push(...folded.links)
    if (folded.broken) {
      const { height, violation } = folded.broken
      throw brokenRule(violation.rule, `block ${height}: ${violation.detail}`)
    }
    progress?.(links.length, parts.blocks.length)
  }
  return links
}

async function checkHead(
  { head: compact, first }: ExportParts,
  links: readonly Link[],
  registry: RegistryHistory,
  verifiers: Verifiers,
): Promise<{ readonly end: Link; readonly asOf: Timestamp }> {
  // Any member can list a deployment: only the one that the chain names may say how long the chain is.
  const end = links.at(-1)
  if (end && first.origin !== end.state.home.origin)
    throw brokenRule('home', 'the export is not by the home that the chain names')
  const key = headKeyAt(registry.newest(), parseHead(compact).jws.kid, first.origin)
  if (!key) throw brokenRule('head', "the head statement is not by the home's key")
  const head = await openHead(compact, key, verifiers)
  const last = end?.opened
  if (head.origin !== first.origin) throw brokenRule('head', 'the head statement is of another origin')
  if (head.durability === 'mirrored') throw brokenRule('head', 'the head statement is that of a mirror')
  if (
    !end ||
    !last ||
    head.chain !== last.chain ||
    head.block !== last.id ||
    head.height !== links.length - 1
  )
    throw brokenRule('head', 'the export ends before or beside the stated head')
  return { end, asOf: head.time }
}

async function progressOf(
  { first, erased }: ExportParts,
  links: readonly Link[],
  registry: RegistryHistory,
  nowMs: number,
): Promise<readonly ErasureProgress[]> {
  const context: ErasureContext = {
    chain: asChainId(first.chain),
    records: registry.newest(),
    readers: holderSpans(links),
    verifiers: createVerifiers(),
  }
  return erasureProgress(context, completedErasures(links), await verifiedStatements(context, erased), nowMs)
}

async function checkAll(
  links: readonly Link[],
  parts: ExportParts,
  erasures: readonly ErasureProgress[],
  log: LogView | null,
  forked: readonly ExportProblem[],
): Promise<Pick<ExportReport, 'entries' | 'erased' | 'problems' | 'statuses'>> {
  const erasedAt = erasedBy(links)
  const heldBack = heightsIn(openBatches(links.map(({ opened: { kid, block } }) => ({ kid, ...block }))))
  const ordered = completedErasures(links)
  const ofLog = Map.groupBy([...(log?.problems ?? []), ...forked], ({ height }) => height)
  const problems: ExportProblem[] = []
  const statuses: BlockStatus[] = []
  let [entries, erased] = [0, 0]
  for (const link of links) {
    const { height, entries: named } = link.opened.block
    const checked = await checkBlockParts(link, parts, erasedAt)
    const found = [...checked.problems, ...(ofLog.get(height) ?? [])]
    problems.push(...found)
    entries += named?.count ?? 0
    erased += checked.erased
    statuses.push(
      worstStatus(log?.statuses[height] ?? 'promised', [
        ...found.map(({ status }) => status),
        ...(checked.erased > 0 ? [goneAt({ height, count: named?.count ?? 0 }, ordered, erasures)] : []),
        ...(checked.kept > 0 ? ['erasing' as const] : []),
        ...(heldBack.has(height) ? ['incomplete' as const] : []),
      ]),
    )
  }
  return { entries, erased, problems, statuses }
}

/** `erased` when all that was ordered in a block is in an erasure that has come to its end. */
function goneAt(
  { height, count }: { readonly height: number; readonly count: number },
  ordered: readonly CompletedErasure[],
  progress: readonly ErasureProgress[],
): 'erasing' | 'erased' {
  const touching = ordered.filter(
    ({ body }) => body.scope === 'record' || body.targets.some((target) => target.height === height),
  )
  const isDone = (erasure: CompletedErasure) =>
    progress.some((step) => step.height === erasure.height && step.status === 'erased')
  const done = touching.filter(isDone)
  const idsOf = (erasures: readonly CompletedErasure[]) =>
    erasures.flatMap(({ body }) => body.targets.find((target) => target.height === height)?.ids ?? [])
  const covered = new Set<string>(idsOf(done))
  if (done.some(({ body }) => body.scope === 'record')) return 'erased'
  const isWhole = touching.some(({ body }) => body.scope === 'record')
  const isCovered = isWhole ? covered.size >= count : idsOf(touching).every((id) => covered.has(id))
  return isCovered ? 'erased' : 'erasing'
}
