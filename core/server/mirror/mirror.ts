// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { ChainId, DeploymentId, Digest, InstitutionId } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { ERASED_TYPE, mirrorStore, signErased } from '../../api/erased.ts'
import { logOriginOf } from '../../api/log.ts'
import type { EraseBlock } from '../../block/block.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { isAmpereError, type ErrorCode } from '../../errors.ts'
import type { LogKey } from '../../log/note/key.ts'
import type { RegistryHistory } from '../../registry/history.ts'
import { createRegistryHistory } from '../../registry/history.ts'
import { shredOrdered } from '../erase.ts'
import { REGISTRY_PARTITION } from '../store/registry.ts'
import { erasedRow, loadBlock, loadHead } from '../store/rows.ts'
import type { HomeStores } from '../copy/stores.ts'
import { noteLastRun } from './last-run.ts'
import { copyOf, type MirrorPorts } from './copy-of.ts'
import { copyParts, type Gap } from '../copy/copy-block.ts'
import {
  broke,
  copyChain,
  copyRegistry,
  erasuresIn,
  isExplained,
  type CopyContext,
} from '../copy/copy-chain.ts'
import { copyLog } from '../copy/copy-log.ts'
import { copyStatements } from '../copy/copy-statements.ts'
import { closeGap, noteGap, notedGaps } from '../copy/gaps.ts'
import { handIn, type Asking } from './ask-home.ts'
import { homeSource } from './home-source.ts'
import { askStatedHead, isStatementDue, readMirrored, stateMirrored, type StatedHead } from './statement.ts'
import { allRows, type HomeSource } from '../copy/source.ts'

/** A home that is mirrored, and what is pinned of it. */
export interface MirroredHome {
  readonly deployment: DeploymentId
  readonly origin: string
  readonly registry: Digest
  readonly logKeys: readonly LogKey[]
  /** Where the mirror's own deployment is: as which it states what it holds. */
  readonly own: string
  /** The institution whose mirror this is: chains grant it to hold. */
  readonly institution: InstitutionId
  /** Days until the last backup of this mirror that could still hold an erased key expires; 0 without backups. */
  readonly backupDays: number
  readonly verifiers: Verifiers
}

/** Something that is wrong with one chain, where all others go on. */
export interface MirrorProblem {
  readonly chain: ChainId
  readonly height: number | null
  readonly code: ErrorCode
  /** What was found, with the rule. */
  readonly what: string
}

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
  /** True when chains have more than one slice of blocks: run again. */
  readonly more: boolean
  readonly problems: readonly MirrorProblem[]
}

/** Whatever these say is not of one chain. */
const RUN_ENDS: readonly ErrorCode[] = [
  'UPSTREAM_FAILED',
  'STORE_UNAVAILABLE',
  'STORE_FULL',
  'KEY_UNAVAILABLE',
]

/** Blocks of one chain that one run copies at most, rounded up to a page: chains take turns. */
export const SLICE_BLOCKS = 2000

/**
 * Copies what is new in a home: registry, log, then every chain that it grants this institution to hold. The log comes
 * first, so that the copy of a chain is never behind that of the log once a run came to its end. Everything is verified as it
 * comes; nothing that verified is ever replaced, but by an erasure. May be repeated at any time, and goes on where it was.
 * @throws AmpereError UPSTREAM_FAILED, STORE_UNAVAILABLE, and for the registry and the log what `copyLog` throws; what is
 * wrong with a chain is a problem in the report
 */
export async function mirrorChains(
  ports: MirrorPorts,
  home: MirroredHome,
  deadline: Asking['deadline'] = (ms) => AbortSignal.timeout(ms),
  maxBlocks: number = SLICE_BLOCKS,
): Promise<MirrorReport> {
  const { fetch, now, random, keys } = ports
  const asking: Asking = { fetch, now, random, signer: keys.instance, deadline }
  const source = homeSource(asking, home.origin)
  const to = copyOf(ports, home.deployment)
  const registry = await loadRegistry(to, home)
  const refreshRegistry = () => copyRegistry(source, to, registry)
  await refreshRegistry()
  const { verifiers } = home
  const log = { origin: logOriginOf(home.origin), keys: home.logKeys, verifiers }
  const copied = await copyLog(source, to, log)
  const run: Run = { ports, home, asking, source, to, context: { registry, verifiers, refreshRegistry } }
  const total = { chains: 0, added: 0, erased: 0, stated: 0, more: false }
  const problems: MirrorProblem[] = []
  for await (const { chain, height } of source.chains()) {
    try {
      const done = await mirrorChain(run, chain, height, maxBlocks)
      total.added += done.added
      total.erased += done.erased
      if (done.stated) total.stated++
      total.more ||= done.more
      problems.push(...done.problems)
    } catch (error) {
      problems.push(problemOf(chain, error))
    }
    total.chains++
  }
  const report = { ...total, logSize: copied?.size ?? 0, problems }
  const { chains, logSize } = report
  await noteLastRun(to, { v: 1, time: toTimestamp(ports.now()), chains, logSize, problems: problems.length })
  return report
}

interface Run {
  readonly ports: MirrorPorts
  readonly home: MirroredHome
  readonly asking: Asking
  readonly source: HomeSource
  readonly to: HomeStores
  readonly context: CopyContext
}

async function loadRegistry(to: HomeStores, home: MirroredHome): Promise<RegistryHistory> {
  const registry = createRegistryHistory(home.registry, home.verifiers)
  for await (const row of allRows(to.tables.registry, REGISTRY_PARTITION))
    await registry.add(fromUtf8(row.value))
  return registry
}

async function mirrorChain(run: Run, chain: ChainId, height: number, maxBlocks: number) {
  const { source, to, context } = run
  const asked = await askDueHead(run, chain, height).catch((error: unknown) => problemOf(chain, error))
  const note = (gap: Gap) => noteGap(to, gap)
  const { added, more } = await copyChain(source, to, context, chain, note, maxBlocks)
  const erasures = await erasuresIn(to, chain)
  // While blocks are to come, the erasure that explains a gap may be among them. Before erasing, which may wait for a part.
  const problems = more ? [] : [...(await settleGaps(run, chain, erasures))]
  // What the home states does not keep the mirror from copying what it serves.
  if (asked && 'what' in asked) problems.push(asked)
  let erased = 0
  for (const ordered of erasures) if (await carryOut(run, ordered)) erased++
  if (erasures.length > 0) await copyStatements(source, to, context, chain)
  const head = asked && 'head' in asked && !more && problems.length === 0 ? asked : null
  return { added, more, erased, problems, stated: head ? await state(run, head) : false }
}

/** @throws what ends a run, and what is not ours */
function problemOf(chain: ChainId, error: unknown): MirrorProblem {
  if (!isAmpereError(error) || RUN_ENDS.includes(error.code)) throw error
  return { chain, height: null, code: error.code, what: error.message }
}

/** The home's own word for the newest block, where this mirror is to say anew that it holds it. */
async function askDueHead(
  { ports, home, asking, to, context }: Run,
  chain: ChainId,
  height: number,
): Promise<StatedHead | null> {
  const copied = (await loadHead(to.tables.blocks, chain))?.block.height ?? -1
  if (height < copied) throw broke('rolled-back', chain, height, `the home had block ${copied} before`)
  if (!isStatementDue(await readMirrored(to.tables.receipts, chain), height, ports.now())) return null
  return askStatedHead(asking, home.origin, chain, context.registry, home.verifiers)
}

function state({ ports, home, to, context }: Run, stated: StatedHead): Promise<boolean> {
  const by = { now: ports.now, head: ports.keys.head, origin: home.own }
  return stateMirrored(to, by, context.registry, stated)
}

/** Erases here, then says so to the home, then notes that it was said: whatever fails is done again by the next run. */
async function carryOut(
  { ports, home, asking, to }: Run,
  ordered: ParsedBlock<EraseBlock>,
): Promise<boolean> {
  const { chain, id, block } = ordered
  const store = mirrorStore(home.institution)
  const key = erasedRow(block.height, store)
  await shredOrdered(to, ordered)
  if (await to.tables.receipts.get(chain, key)) return false
  const nowMs = ports.now()
  const backupsExpire = toTimestamp(nowMs + home.backupDays * 86_400_000)
  const said = { v: 1, chain, block: id, store, at: toTimestamp(nowMs), backupsExpire } as const
  const statement = utf8(await signErased(said, ports.keys.instance))
  await handIn(asking, new URL(`/v1/chains/${chain}/erased`, home.origin), ERASED_TYPE, statement)
  await to.tables.receipts.insert(chain, key, statement)
  return true
}

/** Tries again to get what was not there. What is not there still, and no erasure explains, the home has lost. */
async function settleGaps(
  { source, to }: Run,
  chain: ChainId,
  erasures: readonly ParsedBlock<EraseBlock>[],
): Promise<readonly MirrorProblem[]> {
  const problems: MirrorProblem[] = []
  for (const gap of await notedGaps(to, chain)) {
    if (await isExplained(to, erasures, gap)) continue
    const opened = await loadBlock(to.tables.blocks, chain, gap.height)
    // What is left of a copy that was never finished is found again by the next one.
    if (!opened) continue
    const left = await copyParts(source, to, { opened: opened as never })
    if (!left.some((each) => each.rule === gap.rule)) {
      await closeGap(to, gap)
      continue
    }
    const { code, message } = broke(gap.rule, chain, gap.height, 'the home does not have it as it was signed')
    problems.push({ chain, height: gap.height, code, what: message })
  }
  return problems
}
