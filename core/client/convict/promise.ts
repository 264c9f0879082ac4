// SPDX-License-Identifier: Apache-2.0
import { parseHead } from '../../api/head.ts'
import { logOriginOf } from '../../api/log.ts'
import { fromUtf8 } from '../../bytes/encoding.ts'
import { timestampMs } from '../../bytes/timestamp.ts'
import { parseBlock } from '../../block/open-block.ts'
import { stateBytes, stateHash } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import { evidenceOfPromise, type BrokenPromise } from '../../evidence/build.ts'
import { MAX_EVIDENCE_ENTRIES, MAX_LOG_KEYS } from '../../evidence/format.ts'
import { LOGGED_WITHIN_MS } from '../../api/limits.ts'
import { formatVerifierKey } from '../../log/note/key.ts'
import type { EvidenceSink } from '../client.ts'
import type { Connection } from '../connect.ts'
import { keepEvidence } from './keep-evidence.ts'
import { registryFor } from './heads.ts'
import type { Replica } from '../read/replica.ts'
import type { LogView } from '../receipt/judge-blocks.ts'
import { readPublishedLog } from './published-log.ts'

/**
 * Adds to what is said of the newest block that this installation saw, if it is overdue, where the evidence of it is
 * kept: the statement in which the home promised to log it, and the whole log without it. None can be made where the state
 * before the block is not at hand (only a control or erase block changes it), or the log is too large for a file.
 */
export async function withBrokenPromise(
  connection: Connection,
  replica: Replica,
  labelKeyAt: (height: number) => Uint8Array | null,
  view: LogView,
): Promise<LogView> {
  const { evidence, seen: heads, now } = connection.ports
  const broken = view.problems.filter(({ rule }) => rule === 'promise').map(({ height }) => height)
  if (!evidence || broken.length === 0) return view
  const seen = await heads.load(replica.chain)
  if (seen?.statement === undefined || !broken.includes(seen.height)) return view
  if (timestampMs(parseHead(seen.statement).head.time) + LOGGED_WITHIN_MS >= now()) return view
  const kept = await keep(connection, replica, labelKeyAt(seen.height), seen.statement, evidence)
  const problems = view.problems.map((problem) =>
    problem.rule === 'promise' && problem.height === seen.height
      ? { ...problem, detail: `${problem.detail}${kept}` }
      : problem,
  )
  return { ...view, problems }
}

async function keep(
  connection: Connection,
  replica: Replica,
  labelKey: Uint8Array | null,
  statement: string,
  sink: EvidenceSink,
): Promise<string> {
  const { pins } = connection.ports
  const { origin, registry, policy } = pins
  const name = logOriginOf(origin)
  const keys = (policy?.logs ?? []).filter(({ key }) => key.name === name).slice(0, MAX_LOG_KEYS)
  const log = keys.map(({ key }) => formatVerifierKey(key))
  return keepEvidence(sink, { registry, logs: log }, async () => {
    if (!labelKey) throw new AmpereError('NOT_FOUND', 'the label key is not known here')
    const { head } = parseHead(statement)
    const blocks = await registryFor(connection.api, head.registry.height)
    const named = await namedBlock(connection, replica, head.height)
    const { note, entries } = await readPublishedLog(connection.ports, MAX_EVIDENCE_ENTRIES)
    const broken = { ...named, head: statement, labelKey, from: null, to: note, entries }
    return evidenceOfPromise({ origin, registry: { id: registry, blocks }, log }, broken)
  })
}

/** The block at a height, with the block and state before it that name its label key. */
async function namedBlock(
  { api }: Connection,
  { chain, link }: Replica,
  height: number,
): Promise<Pick<BrokenPromise, 'block' | 'parent'>> {
  const from = Math.max(height - 1, 0)
  const [first = '', second = ''] = (await api.blocks(chain, from)).items
  if (height === 0) return { block: first, parent: null }
  if (parseBlock(first).block.state !== stateHash(link.state))
    throw new AmpereError('NOT_FOUND', 'the state before the block is not known here')
  return { block: second, parent: { block: first, state: fromUtf8(stateBytes(link.state)) } }
}
