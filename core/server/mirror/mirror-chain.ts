// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { ERASED_TYPE, mirrorStore, signErased } from '../../api/erased.ts'
import type { EraseBlock } from '../../block/block.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { isAmpereError, type ErrorCode } from '../../errors.ts'
import { shredOrdered } from '../erase.ts'
import { erasedRow, loadBlock, loadHead } from '../store/rows.ts'
import type { HomeStores } from '../copy/stores.ts'
import type { MirrorPorts } from './copy-of.ts'
import { copyParts } from '../copy/copy-block.ts'
import { broke, copyChain, erasuresIn, isExplained, type CopyContext } from '../copy/copy-chain.ts'
import { copyStatements } from '../copy/copy-statements.ts'
import { closeGap, noteGap, notedGaps, type Gap } from '../copy/gaps.ts'
import { handIn, type Asking } from './ask-home.ts'
import type { MirroredHome } from './mirrored-home.ts'
import {
  askStatedHead,
  isStatementDue,
  readMirrored,
  rolledBack,
  stateMirrored,
  type StatedHead,
} from './statement.ts'
import type { HomeSource } from '../copy/source.ts'

/** Something that is wrong with one chain, where all others go on. */
export interface MirrorProblem {
  readonly chain: ChainId
  readonly height: number | null
  readonly code: ErrorCode
  /** What was found, with the rule. */
  readonly what: string
}

/** Whatever these say is not of one chain. */
const RUN_ENDS: readonly ErrorCode[] = [
  'UPSTREAM_FAILED',
  'STORE_UNAVAILABLE',
  'STORE_FULL',
  'KEY_UNAVAILABLE',
]

/** One run of a mirror, with what it uses. */
export interface Run {
  readonly ports: MirrorPorts
  readonly home: MirroredHome
  readonly asking: Asking
  readonly source: HomeSource
  readonly to: HomeStores
  readonly context: CopyContext
  /** Blocks of one chain that it copies at most, rounded up to a page. */
  readonly maxBlocks: number
  /** True when its time is over: what is left is for the next one. */
  readonly isOver: () => boolean
}

/**
 * Copies what is new in a chain, carries out its erasures, and states that it is held when nothing of it is missing.
 * @param height of its newest block, as the home says
 * @throws AmpereError of which `problemOf` makes a problem of the chain, or throws it again
 */
export async function mirrorChain(run: Run, chain: ChainId, height: number) {
  const { source, to, context, maxBlocks } = run
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
export function problemOf(chain: ChainId, error: unknown): MirrorProblem {
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
  if (height < copied) throw rolledBack(chain, height, copied)
  if (!isStatementDue(await readMirrored(to.tables.receipts, chain), height, ports.now())) return null
  return askStatedHead(asking, home.origin, chain, context.registry, home.verifiers, copied)
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
  { source, to, isOver }: Run,
  chain: ChainId,
  erasures: readonly ParsedBlock<EraseBlock>[],
): Promise<readonly MirrorProblem[]> {
  const problems: MirrorProblem[] = []
  for (const gap of await notedGaps(to, chain)) {
    if (await isExplained(to, erasures, gap)) continue
    const opened = await loadBlock(to.tables.blocks, chain, gap.height)
    // What is left of a copy that was never finished is found again by the next one.
    if (!opened) continue
    const left = isOver() ? [gap] : await copyParts(source, to, { opened: opened as never }, erasures)
    if (!left.some((each) => each.rule === gap.rule)) {
      await closeGap(to, gap)
      continue
    }
    const { code, message } = broke(gap.rule, chain, gap.height, 'the home does not have it as it was signed')
    problems.push({ chain, height: gap.height, code, what: message })
  }
  return problems
}
