// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import type { ChainId, InstitutionId } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import type { ControlBlock, Controllers, Grant } from '../../block/block.ts'
import { packagesRoot } from '../../block/packages.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { Append, EpochPackage } from '../../api/append.ts'
import { rotationDue } from '../../chain/rotation.ts'
import { readersOf, readableBy, type ControlState } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import type { Keyring } from '../read/reader-keys.ts'
import type { Replica } from '../read/replica.ts'
import {
  drawEpoch,
  gainingReaders,
  heldEpoch,
  orderedGrant,
  packageFor,
  packageHistory,
  type EpochSecrets,
} from './make-epoch.ts'
import { signStep, type StepContext } from './sign-step.ts'

/** A change of a chain's control state. What is left out stays as it is. */
export interface Change {
  readonly grant?: readonly Grant[]
  readonly revoke?: readonly InstitutionId[]
  readonly controllers?: Controllers
  readonly hold?: boolean
  readonly access?: ChainId
  /** A new epoch although nobody is removed. */
  readonly newEpoch?: boolean
  /** Leave out the history packages, so that new readers open nothing older. */
  readonly cut?: boolean
}

/** What is known of the current epoch: its keyring, or for a chain that is being created its fresh secrets. */
export type EpochSource = { readonly keyring: Keyring } | { readonly fresh: EpochSecrets }

/**
 * Signs a control block that makes `change`, with the new epoch and packages that it calls for.
 * @throws AmpereError VIOLATION, FORBIDDEN (this identity does not hold the seeds)
 */
export async function signChange(
  context: StepContext,
  replica: Replica,
  change: Change,
  source: EpochSource,
): Promise<{ block: ParsedBlock; append: Append }> {
  const before = replica.link.state
  const held = 'fresh' in source ? source.fresh : heldEpoch(before, source.keyring)
  const after = preview(before, change)
  const needsEpoch = change.newEpoch === true || losesReaders(before, after)
  const epoch = needsEpoch ? await drawEpoch(held.compartments, context.ports.random) : null
  const number = before.epoch.number + (epoch ? 1 : 0)
  const shown: ControlState = { ...after, epoch: { number, height: 0 } }
  const first = replica.link.opened.block.type === 'genesis'
  const readers = epoch || first ? readersOf(after) : gainingReaders(before, after)
  const records = context.registry.newest()
  const packages = [
    ...(await packageFor(replica.chain, shown, epoch ?? held, readers, records)),
    ...(epoch && change.cut !== true ? await packageHistory(replica.chain, held, epoch, number) : []),
  ]
  const body: Omit<ControlBlock['body'], 'approvals'> = {
    act: 'change',
    grants: grantsOf(change),
    controllers: change.controllers ?? null,
    epoch: epochBody(epoch, change.cut === true),
    packages: packages.length === 0 ? null : packagesRoot(packages),
    hold: change.hold ?? null,
    access: change.access ?? null,
  }
  const block = await signStep(context, replica, () => ({ type: 'control', body }))
  return { block, append: appendOf(block, packages, epoch) }
}

/** Signs a rotation: new keys for everyone who is still whitelisted. One controller suffices. */
export async function signRotation(
  context: Omit<StepContext, 'approvers'>,
  replica: Replica,
  keyring: Keyring,
): Promise<{ block: ParsedBlock; append: Append }> {
  const before = replica.link.state
  const drop = dueAt(context, replica)
  const held = heldEpoch(before, keyring)
  const epoch = await drawEpoch(held.compartments, context.ports.random)
  const after = preview(before, { revoke: drop })
  const number = before.epoch.number + 1
  const shown: ControlState = { ...after, epoch: { number, height: 0 } }
  const packages = [
    ...(await packageFor(replica.chain, shown, epoch, readersOf(after), context.registry.newest())),
    ...(await packageHistory(replica.chain, held, epoch, number)),
  ]
  const body: Omit<ControlBlock['body'], 'approvals'> = {
    act: 'rotate',
    grants: { put: [], remove: [...drop].toSorted() },
    controllers: null,
    epoch: epochBody(epoch, false),
    packages: packagesRoot(packages),
    hold: null,
    access: null,
  }
  const block = await signStep({ ...context, approvers: [] }, replica, () => ({ type: 'control', body }))
  return { block, append: appendOf(block, packages, epoch) }
}

/** Readers that a rotation drops, at the registry head and not after the time that its block will name. */
function dueAt(context: Omit<StepContext, 'approvers'>, replica: Replica): InstitutionId[] {
  const records = context.registry.viewAt(replica.head.registry)
  if (!records) throw new AmpereError('REGISTRY_STALE', 'the registry head is not known')
  const time = toTimestamp(context.ports.now())
  return rotationDue(replica.link.state, records, time).map(({ institution }) => institution)
}

function grantsOf(change: Change): ControlBlock['body']['grants'] {
  const put = (change.grant ?? [])
    .map(orderedGrant)
    .toSorted((a, b) => (a.institution < b.institution ? -1 : 1))
  return { put, remove: [...(change.revoke ?? [])].toSorted() }
}

function epochBody(epoch: EpochSecrets | null, cut: boolean): ControlBlock['body']['epoch'] {
  return epoch ? { compartments: [...epoch.keys], labelKeyHash: epoch.labelKeyHash, cut } : null
}

function appendOf(block: ParsedBlock, packages: EpochPackage[], epoch: EpochSecrets | null): Append {
  const labelKey = epoch ? toBase64url(epoch.labelKey) : null
  return { block: block.compact, row: null, packages, labelKey, object: null }
}

/** Grants and controllers as the reducer will see them, to know who reads afterwards. */
function preview(before: ControlState, change: Change): ControlState {
  const put = change.grant ?? []
  const gone = new Set<string>([...(change.revoke ?? []), ...put.map((grant) => grant.institution)])
  if ((change.revoke ?? []).some((id) => !before.grants.some((grant) => grant.institution === id))) {
    throw new AmpereError('NOT_FOUND', 'there is no such grant to revoke')
  }
  return {
    ...before,
    controllers: change.controllers ?? before.controllers,
    grants: [...before.grants.filter((grant) => !gone.has(grant.institution)), ...put],
  }
}

function losesReaders(before: ControlState, after: ControlState): boolean {
  return readersOf(before).some((reader) => {
    const still = new Set<string>(readableBy(after, reader))
    return readableBy(before, reader).some((id) => !still.has(id))
  })
}
