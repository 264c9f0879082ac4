// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, utf8 } from '../../bytes/encoding.ts'
import type { Digest, InstitutionId } from '../../bytes/ids.ts'
import { AmpereError } from '../../errors.ts'
import type { ReadTable, Row } from '../../ports/table.ts'
import type { RegistrarPorts } from '../registrar.ts'
import { heightKey } from '../store/rows.ts'

/** Rows that are read at once. */
const PAGE = 500

/** What is stored of one action that was proposed: every statement as it was signed, in order of its row. */
export interface StoredAction {
  readonly action: Digest
  readonly proposals: readonly StoredProposal[]
  readonly approvals: readonly StoredApproval[]
}
export interface StoredProposal {
  readonly id: string
  readonly by: string
  readonly compact: string
  readonly isWithdrawn: boolean
}
export interface StoredApproval {
  readonly id: string
  readonly by: string
  readonly compact: string
}

/**
 * Partition of the proposals that may still come into force: those made since one newest change of members or rules. The next
 * change begins another, so that what is spent is never read again.
 */
export function proposalsPartition(after: number): string {
  return `proposals/${heightKey(after)}`
}

/** Row key of a statement: its action, what it is, whose, and its id. */
export function proposalRow(
  action: Digest,
  kind: 'approval' | 'proposal' | 'withdrawal',
  by: InstitutionId,
  id: Digest,
): string {
  return `${action}/${kind}/${by}/${id}`
}

/** Everything in the partition, by action. The table is not trusted: who reads it verifies every statement. */
export async function loadProposals(table: ReadTable, after: number): Promise<readonly StoredAction[]> {
  const rows: Row[] = []
  for (let from = ''; ;) {
    const page = await table.range(proposalsPartition(after), { ...(from && { from }), limit: PAGE })
    rows.push(...page)
    const last = page.at(-1)
    if (!last || page.length < PAGE) break
    // No key goes on behind another one.
    from = `${last.key}/`
  }
  const actions = Map.groupBy(rows.map(partsOf), ({ action }) => action)
  return [...actions].map(([action, parts]) => storedAction(action as Digest, parts))
}

interface Part {
  readonly action: string
  readonly kind: string
  readonly by: string
  readonly id: string
  readonly compact: string
}

function partsOf({ key, value }: Row): Part {
  const [action, kind, by, id, ...rest] = key.split('/')
  if (!action || !kind || !by || !id || rest.length > 0)
    throw new AmpereError('STORE_CORRUPT', 'a row of the proposals has another key')
  return { action, kind, by, id, compact: fromUtf8(value) }
}

function storedAction(action: Digest, parts: readonly Part[]): StoredAction {
  const withdrawn = new Set(parts.filter(({ kind }) => kind === 'withdrawal').map(({ id }) => id))
  return {
    action,
    proposals: parts
      .filter(({ kind }) => kind === 'proposal')
      .map(({ id, by, compact }) => ({ id, by, compact, isWithdrawn: withdrawn.has(id) })),
    approvals: parts.filter(({ kind }) => kind === 'approval'),
  }
}

/** Stores a statement once; the same again is success. @throws AmpereError STORE_UNAVAILABLE, STORE_FULL */
export async function storeStatement(
  { tables }: Pick<RegistrarPorts, 'tables'>,
  after: number,
  key: string,
  compact: string,
): Promise<void> {
  await tables.registry.insert(proposalsPartition(after), key, utf8(compact))
}
