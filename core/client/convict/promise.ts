// SPDX-License-Identifier: Apache-2.0
import { fromUtf8 } from '../../bytes/encoding.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { foldBlocks } from '../../chain/fold-blocks.ts'
import { stateBytes, type Link } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import { parseBlock } from '../../block/open-block.ts'
import { openCheckpoint } from '../../log/note/open-checkpoint.ts'
import { policyKeys } from '../../log/tlog-proof.ts'
import { evidenceOfPromise, type BrokenPromise } from '../../evidence/build.ts'
import { MAX_EVIDENCE_ENTRIES } from '../../evidence/format.ts'
import { BEFORE_BLOCK_MS, BROKEN_AFTER_MS } from '../../evidence/promise.ts'
import type { EvidenceSink } from '../client.ts'
import type { Connection } from '../connect.ts'
import { keepEvidence } from './keep-evidence.ts'
import { pinnedLog } from './pinned-log.ts'
import { newestRegistry } from './heads.ts'
import type { Replica } from '../read/replica.ts'
import type { LogView } from '../receipt/judge-blocks.ts'
import { readPublishedLog } from './published-log.ts'
import { statementsOf, type KeptStatement } from './kept-statements.ts'

/**
 * Adds to what is said of the lowest overdue block that can be shown to be missing, whoever wrote it and whatever it is,
 * where the evidence of it is kept: the statement in which the home promised to log it, and the whole log without it. None
 * can be made without that statement, of which few are kept (convict/kept-statements.ts), without the label key of the
 * epoch before the block, or of a log that is too large for a file and of which no receipt has an earlier tree.
 */
export async function withBrokenPromise(
  connection: Connection,
  replica: Replica,
  labelKeyAt: (height: number) => Uint8Array | null,
  view: LogView,
): Promise<LogView> {
  const { evidence, seen, now } = connection.ports
  const broken = new Set(view.problems.filter(({ rule }) => rule === 'promise').map(({ height }) => height))
  const stated = evidence && broken.size > 0 ? await seen.load(replica.chain) : null
  if (!evidence || !stated) return view
  const due = statementsOf(stated).filter(
    ({ head: { height, time } }) => broken.has(height) && timestampMs(time) + BROKEN_AFTER_MS < now(),
  )
  for (const promise of due) {
    const { height } = promise.head
    const kept = await keep(connection, replica, { ...promise, labelKey: labelKeyAt(height) }, evidence)
    if (kept !== '') return saying(view, height, kept)
  }
  return view
}

/** Adds a text to what is said of the promise of a block. */
function saying(view: LogView, height: number, kept: string): LogView {
  const problems = view.problems.map((problem) =>
    problem.rule === 'promise' && problem.height === height
      ? { ...problem, detail: `${problem.detail}${kept}` }
      : problem,
  )
  return { ...view, problems }
}

interface DuePromise extends KeptStatement {
  readonly labelKey: Uint8Array | null
}

async function keep(
  connection: Connection,
  replica: Replica,
  { statement, head, labelKey }: DuePromise,
  sink: EvidenceSink,
): Promise<string> {
  const { pins } = connection.ports
  const { origin, registry, policy } = pins
  const { log } = pinnedLog(policy, origin)
  return keepEvidence(sink, { registry, logs: log }, async () => {
    if (!labelKey) throw new AmpereError('NOT_FOUND', 'the label key is not known here')
    const blocks = await newestRegistry(connection.sync)
    const named = await namedBlock(connection, replica, head.height)
    const madeMs = timestampMs(parseBlock(named.block).block.time)
    const { note, from, entries } = await readPublishedLog(connection.ports, MAX_EVIDENCE_ENTRIES, {
      notes: connection.treesOf(origin).notes(),
      isEarly: (earlier) => isSignedBefore(connection, earlier, madeMs),
    })
    const broken = { ...named, head: statement, labelKey, from, to: note, entries }
    return evidenceOfPromise({ origin, registry: { id: registry, blocks }, log }, broken)
  })
}

/** Whether a tree that a receipt was under cannot hold a block of that time, by what the log says of when it signed. */
async function isSignedBefore({ ports, sync }: Connection, note: string, madeMs: number): Promise<boolean> {
  if (!ports.pins.policy) return false
  const { signedAt } = await openCheckpoint(note, policyKeys(ports.pins.policy), sync.verifiers)
  return signedAt.length > 0 && Math.max(...signedAt) * 1000 + BEFORE_BLOCK_MS < madeMs
}

/** The block at a height, with the block and state before it that name its label key. */
async function namedBlock(
  connection: Connection,
  replica: Replica,
  height: number,
): Promise<Pick<BrokenPromise, 'block' | 'parent'>> {
  const [block = ''] = (await connection.api.blocks(replica.chain, height)).items
  if (height === 0) return { block, parent: null }
  const { opened, state } = await linkAt(connection, replica.chain, height - 1)
  return { block, parent: { block: opened.compact, state: fromUtf8(stateBytes(state)) } }
}

/** The state after a block, which a replica does not keep, folded from the genesis once more. @throws AmpereError NOT_FOUND */
async function linkAt({ api, sync }: Connection, chain: ChainId, height: number): Promise<Link> {
  const { viewAt, keyOf } = sync.registry
  let link: Link | null = null
  for (;;) {
    const next: number = link ? link.opened.block.height + 1 : 0
    if (link && next > height) return link
    const { items } = await api.blocks(chain, next)
    const context = { chain, viewAt, keyOf, verifiers: sync.verifiers }
    const { links } = await foldBlocks(link, items.slice(0, height + 1 - next), context)
    link = links.at(-1) ?? null
    if (!link) throw new AmpereError('NOT_FOUND', 'the home no longer shows blocks that it showed before')
  }
}
