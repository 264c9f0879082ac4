// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../../bytes/canonical-json.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import { grantOf, readersGaining, readersOf, type ControlState, type Link } from '../../chain/state.ts'
import { isAmpereError } from '../../errors.ts'
import { recordOf, type RegistryView } from '../../registry/snapshot.ts'
import { chainPartition, loadBlock, loadHead, loadState } from '../store/rows.ts'
import type { AuditorPorts } from './needs.ts'
import type { AuditFinding, Notes } from './report.ts'

/** When each reader that was removed from a chain lost something that it could read, last. */
export type Removals = Map<string, Timestamp>

/** Notes the readers that a block took something from. */
export function noteRemovals(removals: Removals, before: ControlState, link: Link): void {
  for (const reader of readersGaining(link.state, before)) removals.set(reader, link.opened.block.time)
}

/** Flags a chain that keeps a reader who should have gone: one that is no longer whitelisted, or whose grant ended. */
export function checkRotation(state: ControlState, newest: RegistryView, nowMs: number, notes: Notes): void {
  if (state.ended) return
  const controllers = state.controllers.members.flatMap((member) =>
    member.kind === 'institution' ? [member.institution] : [],
  )
  const readers = state.grants.filter((grant) => grant.rights.includes('read'))
  const institutions = new Set([...controllers, ...readers.map((grant) => grant.institution)])
  const gone = [...institutions].filter((id) => recordOf(newest, 'institution', id)?.status !== 'active')
  for (const id of gone)
    notes.flag(null, 'rotation-due', `${id} is no longer whitelisted and is still a reader`)
  for (const { until, institution } of readers) {
    if (until === null || timestampMs(until) > nowMs || gone.includes(institution)) continue
    notes.flag(null, 'rotation-due', `the grant of ${institution} has ended and it is still a reader`, until)
  }
}

/**
 * Flags a record chain and its access chain that do not say the same: who controls, who takes part and until
 * when, and whether who was removed was removed from both.
 * @returns the other chain when it is here and not in the list of chains
 */
export async function checkPair(
  ports: AuditorPorts,
  chain: ChainId,
  { state }: Link,
  removals: Removals,
  notes: Notes,
): Promise<ChainId | null> {
  const other = state.purpose === 'record' ? state.access : state.of
  const sibling = other && (await loadSibling(ports, other))
  if (other === null || sibling === 'unreadable') return null
  if (state.purpose === 'access') {
    if (sibling?.state.access !== chain)
      notes.flag(null, 'diverged', 'its record does not name it as its access chain')
  } else if (sibling?.state.of !== chain) {
    notes.flag(null, 'diverged', 'its access chain is not here, or is that of another record')
  } else flagDifferences(state, sibling, removals, notes)
  const isListed = sibling === null || (await ports.tables.chains.get(chainPartition(other), other)) !== null
  return isListed ? null : other
}

function flagDifferences(record: ControlState, access: Sibling, removals: Removals, notes: Notes): void {
  if (canonicalize(record.controllers) !== canonicalize(access.state.controllers))
    notes.flag(null, 'diverged', 'record and access chain have other controllers')
  for (const id of differentGrants(record, access.state))
    notes.flag(null, 'diverged', `record and access chain differ in the grant of ${id}`)
  for (const [reader, time] of removals) {
    if (readersOf(access.state).includes(reader) && access.epochMs < timestampMs(time))
      notes.flag(
        null,
        'diverged',
        `${reader} was removed from the record without a new epoch of the access chain`,
        time,
      )
  }
}

/** The finding about a chain that is not in the list of chains. */
export function notListed(chain: ChainId): AuditFinding {
  const detail = 'the chain is not in the list of chains'
  return { chain, height: 0, status: 'missing', rule: 'chain-row', detail }
}

interface Sibling {
  readonly state: ControlState
  /** Time of the block that began its epoch. */
  readonly epochMs: number
}

/** The other chain as it stands; 'unreadable' when it is damaged, which its own audit names. */
async function loadSibling(ports: AuditorPorts, chain: ChainId): Promise<Sibling | 'unreadable' | null> {
  const { blocks, states } = ports.tables
  try {
    const head = await loadHead(blocks, chain)
    if (!head) return null
    const state = await loadState(states, chain, head.block.state)
    const began = await loadBlock(blocks, chain, state.epoch.height)
    return { state, epochMs: began ? timestampMs(began.block.time) : 0 }
  } catch (error) {
    if (isAmpereError(error, 'STORE_CORRUPT')) return 'unreadable'
    throw error
  }
}

/**
 * Who may read the record must be able to enter that it did, and who has no part in the record has none in its
 * access chain. Rights and compartments differ by nature.
 */
function differentGrants(record: ControlState, access: ControlState): readonly string[] {
  const differing = new Set<string>()
  for (const grant of record.grants) {
    const there = grantOf(access, grant.institution)
    if (there ? there.until !== grant.until : grant.rights.includes('read')) differing.add(grant.institution)
  }
  for (const { institution } of access.grants) if (!grantOf(record, institution)) differing.add(institution)
  return [...differing].toSorted()
}
