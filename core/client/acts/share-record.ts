// SPDX-License-Identifier: Apache-2.0
import type { ChainId, CompartmentId, InstitutionId } from '../../bytes/ids.ts'
import { canonicalize } from '../../bytes/canonical-json.ts'
import type { Timestamp } from '../../bytes/timestamp.ts'
import type { Controllers, Grant } from '../../block/block.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { devicesOf, grantOf, type ControlState } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import type { Signer } from '../../ports/keys.ts'
import type { Connection } from '../connect.ts'
import type { Change } from '../sign/change-chain.ts'
import { orderedGrant } from '../sign/make-epoch.ts'
import { changeChain, rotateChain } from './change-chain.ts'

/** What an institution shall be allowed on a record. */
export interface Share {
  readonly institution: InstitutionId
  readonly rights: Grant['rights']
  /** Names of compartments; all when left out. */
  readonly compartments?: readonly string[]
  readonly until?: Timestamp
  readonly limits?: Grant['limits']
}

/**
 * Grants an institution its share of a record, and the right to enter what it reads in the access chain.
 * Repeating it changes nothing. @returns the block of the record chain, null when the grant stood already
 * @throws AmpereError NOT_FOUND for a compartment that the record does not have, and those of `changeChain`
 */
export async function shareRecord(
  connection: Connection,
  record: ChainId,
  share: Share,
  approvers: readonly Signer[] = [],
): Promise<ParsedBlock | null> {
  const replica = await connection.replica(record)
  const { names } = await connection.keyring(replica)
  const grant = orderedGrant({
    institution: share.institution,
    rights: [...share.rights],
    compartments: compartmentsNamed(names, share.compartments),
    until: share.until ?? null,
    limits: share.limits ?? null,
  })
  const before = grantOf(replica.link.state, share.institution)
  const stands = before !== null && canonicalize(before) === canonicalize(grant)
  const block = stands ? null : await changeChain(connection, record, { grant: [grant] }, approvers)
  await alignAccessChain(connection, record, approvers)
  return block
}

/**
 * Takes an institution's grant away, on the record and on its access chain: what is sealed from now on stays
 * closed to it. @throws AmpereError NOT_FOUND when it has none on either
 */
export async function unshareRecord(
  connection: Connection,
  record: ChainId,
  institution: InstitutionId,
  approvers: readonly Signer[] = [],
): Promise<ParsedBlock | null> {
  const { state } = (await connection.replica(record)).link
  const stands = grantOf(state, institution) !== null
  const block = stands ? await changeChain(connection, record, { revoke: [institution] }, approvers) : null
  const aligned = await alignAccessChain(connection, record, approvers)
  if (!block && !aligned) throw new AmpereError('NOT_FOUND', 'there is no such grant to revoke')
  return block
}

/** New keys for a record and its access chain, without the readers for whom rotation is due. */
export async function rotateRecord(connection: Connection, record: ChainId): Promise<ParsedBlock> {
  const block = await rotateChain(connection, record)
  const { access } = (await connection.replica(record)).link.state
  if (access !== null) await rotateChain(connection, access)
  return block
}

/** Sets who controls a record and its access chain. A new device is among the approvers, for both. */
export async function setControllers(
  connection: Connection,
  record: ChainId,
  controllers: Controllers,
  approvers: readonly Signer[],
): Promise<ParsedBlock> {
  const block = await changeChain(connection, record, { controllers }, approvers)
  await alignAccessChain(connection, record, approvers)
  return block
}

/**
 * Makes the access chain follow its record: the same controllers, for each institution that may read or write the right
 * to append, for each that may hold the right to hold. What a crash left undone between the two chains is done by the next call.
 * @returns the access chain's new block, or null when there was nothing to do
 */
export async function alignAccessChain(
  connection: Connection,
  record: ChainId,
  approvers: readonly Signer[] = [],
): Promise<ParsedBlock | null> {
  const { state } = (await connection.replica(record)).link
  if (state.access === null) return null
  const access = (await connection.replica(state.access)).link.state
  const change = accessChange(state, access, new Set(approvers.map(({ kid }) => kid)))
  return change ? changeChain(connection, state.access, change, approvers) : null
}

/** A device that is new to the access chain approves itself there too, and without it the controllers stay: `ampere device list` says so. */
function accessChange(
  record: ControlState,
  access: ControlState,
  approving: ReadonlySet<string>,
): Change | null {
  const compartments = access.compartments.map((compartment) => compartment.id)
  const grant = record.grants.flatMap((granted) => {
    const there = grantOf(access, granted.institution)
    const rights = accessRights(granted, there)
    if (there && there.rights.join() === rights.join()) return []
    return [{ ...(there ?? emptyGrant(granted.institution, compartments)), rights }]
  })
  const revoke = access.grants
    .filter(({ institution }) => grantOf(record, institution) === null)
    .map(({ institution }) => institution)
  const listed = new Set(devicesOf(access.controllers).map(({ kid }) => kid))
  const isNewAbsent = devicesOf(record.controllers).some(({ kid }) => !listed.has(kid) && !approving.has(kid))
  const sameControllers = isNewAbsent || canonicalize(access.controllers) === canonicalize(record.controllers)
  if (grant.length === 0 && revoke.length === 0 && sameControllers) return null
  return { grant, revoke, ...(sameControllers ? {} : { controllers: record.controllers }) }
}

/** Who reads or writes enters it; who holds the record holds its access chain too, and enters nothing. */
function accessRights(granted: Grant, there: Grant | null): Grant['rights'] {
  const kept = (there?.rights ?? []).filter((right) => right !== 'hold')
  const enters = granted.rights.some((right) => right !== 'hold')
  const others = kept.length === 0 ? ['append' as const] : kept
  const holds = granted.rights.includes('hold') ? ['hold' as const] : []
  return [...(enters ? others : []), ...holds].toSorted()
}

function emptyGrant(institution: InstitutionId, compartments: readonly CompartmentId[]): Grant {
  return { institution, rights: [], compartments: [...compartments], until: null, limits: null }
}

function compartmentsNamed(
  names: ReadonlyMap<CompartmentId, string>,
  wanted: readonly string[] | undefined,
): CompartmentId[] {
  if (wanted === undefined) return [...names.keys()]
  const byName = new Map([...names].map(([id, name]) => [name, id]))
  return wanted.map((name) => {
    const id = byName.get(name)
    if (!id)
      throw new AmpereError(
        'NOT_FOUND',
        'the record has no such compartment, or this institution cannot open it',
      )
    return id
  })
}
