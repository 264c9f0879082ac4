// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../bytes/encoding.ts'
import type { ChainId, Digest, InstitutionId } from '../bytes/ids.ts'
import { timestampMs } from '../bytes/timestamp.ts'
import type { EraseBlock } from '../block/block.ts'
import { verifyJws, type OpenedJws } from '../block/jws.ts'
import type { ParsedBlock } from '../block/open-block.ts'
import { isStoreOf, parseErased, type ErasedStatement } from '../api/erased.ts'
import { CLOCK_TOLERANCE_MS } from '../api/limits.ts'
import { grantOf, type ControlState } from '../chain/state.ts'
import { AmpereError } from '../errors.ts'
import { activeInstanceOf, asOf } from '../registry/snapshot.ts'
import type { Ports } from '../ports/needs.ts'
import type { Home } from './home.ts'
import { JOBS_ERASE, parseErasureJob } from './store/jobs.ts'
import {
  erasedRow,
  heightKey,
  loadBlock,
  loadHead,
  loadState,
  parseStored,
  rangeUnder,
} from './store/rows.ts'

const PAGE = 500

/** What taking in holders' statements uses. */
export const HOLDER_NEEDS = {
  tables: { blocks: 'read', states: 'read', jobs: 'read', receipts: 'append', registry: 'read' },
  objects: {},
  keys: {},
} as const
export type HolderPorts = Ports<typeof HOLDER_NEEDS>

/**
 * Keeps a holder's statement that its copy of what a block erased is gone. The statement is its own credential.
 * A holder has one statement per erasure: the first stays, and is what later ones are answered with.
 * @throws AmpereError JWS_MALFORMED, REQUEST_MALFORMED, UNAUTHORIZED, SIGNATURE_INVALID, FORBIDDEN, CLOCK_SKEW,
 * VERIFICATION_FAILED (no such erasure), NOT_FOUND also for an institution that never had a part in the chain
 */
export async function addErased(
  ports: HolderPorts,
  home: Home,
  chain: ChainId,
  compact: string,
): Promise<{ readonly statement: string; readonly isNew: boolean }> {
  const { jws, erased } = parseErased(compact)
  const institution = await authenticateHolder(home, jws, ports.now())
  if (erased.chain !== chain) throw new AmpereError('REQUEST_MALFORMED', 'the statement is for another chain')
  if (!isStoreOf(institution, erased.store))
    throw new AmpereError('FORBIDDEN', "the statement is for another holder's store")
  const head = await loadHead(ports.tables.blocks, chain)
  const ordered = head && (await findErasure(ports, erased))
  if (!head || !(await hadPart(ports, head, ordered, institution))) {
    throw new AmpereError('NOT_FOUND', 'no such chain')
  }
  if (!ordered)
    throw new AmpereError('VERIFICATION_FAILED', 'the block is no completed erasure of this chain')
  checkTimes(erased, ordered, ports.now())
  const key = erasedRow(ordered.block.height, erased.store)
  if ((await ports.tables.receipts.insert(chain, key, utf8(compact))) === 'inserted')
    return { statement: compact, isNew: true }
  const stored = await ports.tables.receipts.get(chain, key)
  if (!stored) throw new AmpereError('STORE_UNAVAILABLE', 'the statement is not there after it was stored')
  return { statement: fromUtf8(stored.value), isNew: false }
}

async function authenticateHolder(home: Home, jws: OpenedJws, nowMs: number): Promise<InstitutionId> {
  const newest = asOf((await home.registry.refresh()).newest(), nowMs)
  const active = activeInstanceOf(newest, jws.kid)
  if (!active) throw new AmpereError('UNAUTHORIZED', 'the signing key is not active')
  await verifyJws(jws, active.key.jwk, home.verifiers)
  return active.institution.id
}

async function findErasure(
  ports: HolderPorts,
  erased: ErasedStatement,
): Promise<ParsedBlock<EraseBlock> | null> {
  const { from: first, to } = rangeUnder(erased.chain)
  for (let from = first; ;) {
    const jobs = await ports.tables.jobs.range(JOBS_ERASE, { from, to, limit: PAGE })
    for (const job of jobs) {
      const { height } = parseErasureJob(job.key)
      const parsed = await loadBlock(ports.tables.blocks, erased.chain, height)
      if (parsed?.id !== erased.block || parsed.block.type !== 'erase') continue
      return parsed.block.body.act === 'complete' ? (parsed as ParsedBlock<EraseBlock>) : null
    }
    const last = jobs.at(-1)
    if (!last) return null
    from = `${last.key}\u0000`
  }
}

/** Has the institution a part in the chain now, or had it one at any time since the oldest of the erased entries? */
async function hadPart(
  ports: HolderPorts,
  head: ParsedBlock,
  ordered: ParsedBlock<EraseBlock> | null,
  institution: InstitutionId,
): Promise<boolean> {
  const { chain } = head
  if (takesPart(await loadState(ports.tables.states, chain, head.block.state), institution)) return true
  if (!ordered) return false
  const { body, height: end } = ordered.block
  const seen = new Set<Digest>([head.block.state])
  for (let height = body.targets[0]?.height ?? 0; height <= end; height += PAGE) {
    const rows = await ports.tables.blocks.range(chain, {
      from: heightKey(height),
      to: heightKey(end + 1),
      limit: PAGE,
    })
    for (const row of rows) {
      const { state } = parseStored(row.value).block
      if (seen.has(state)) continue
      seen.add(state)
      if (takesPart(await loadState(ports.tables.states, chain, state), institution)) return true
    }
  }
  return false
}

function takesPart(state: ControlState, institution: InstitutionId): boolean {
  return (
    grantOf(state, institution) !== null ||
    state.controllers.members.some(
      (member) => member.kind === 'institution' && member.institution === institution,
    )
  )
}

function checkTimes(erased: ErasedStatement, ordered: ParsedBlock, nowMs: number): void {
  const atMs = timestampMs(erased.at)
  if (timestampMs(erased.backupsExpire) < atMs)
    throw new AmpereError('REQUEST_MALFORMED', 'the backups expire before the erasure')
  if (atMs > nowMs + CLOCK_TOLERANCE_MS)
    throw new AmpereError('CLOCK_SKEW', 'the statement is dated after the time here')
  if (atMs < timestampMs(ordered.block.time) - CLOCK_TOLERANCE_MS)
    throw new AmpereError('VERIFICATION_FAILED', 'the statement is dated before the erasure was ordered')
}
