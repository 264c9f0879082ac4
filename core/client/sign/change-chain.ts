// SPDX-License-Identifier: Apache-2.0
import type { ChainId, InstitutionId } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import type { ControlBlock, Controllers, Grant } from '../../block/block.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { Append } from '../../api/append.ts'
import { rotationDue } from '../../chain/rotation.ts'
import { readersGaining, type ControlState } from '../../chain/state.ts'
import { AmpereError } from '../../errors.ts'
import type { Keyring } from '../read/reader-keys.ts'
import type { Replica } from '../read/replica.ts'
import { heldEpoch, orderedGrant, type EpochSecrets } from './make-epoch.ts'
import { appendOf, newKeys, type BlockKeys } from './new-keys.ts'
import { signStep, type StepContext } from './sign-step.ts'

/** A change of a chain's control state. What is left out stays as it is. */
export interface Change {
  readonly grant?: readonly Grant[]
  readonly revoke?: readonly InstitutionId[]
  readonly controllers?: Controllers
  /** Who may recover the chain; null: nobody any longer. */
  readonly recovery?: Controllers | null
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
  const { body, keys } = await draftChange(context, replica, change, source)
  const block = await signStep(context, replica, () => ({ type: 'control', body }))
  return { block, append: appendOf(block, keys) }
}

/**
 * What a control block says that makes `change`, before anybody approved it, and the keys that it brings.
 * @throws AmpereError FORBIDDEN (this identity does not hold the seeds)
 */
export async function draftChange(
  context: Pick<StepContext, 'ports' | 'registry'>,
  replica: Replica,
  change: Change,
  source: EpochSource,
): Promise<{ readonly body: Omit<ControlBlock['body'], 'approvals'>; readonly keys: BlockKeys }> {
  const before = replica.link.state
  const held = 'fresh' in source ? source.fresh : heldEpoch(before, source.keyring)
  const after = preview(before, change)
  const first = replica.link.opened.block.type === 'genesis'
  const isNew = change.newEpoch === true || readersGaining(after, before).length > 0
  const keys = await newKeys(context, replica, held, after, { isNew, cut: change.cut === true, toAll: first })
  const body: Omit<ControlBlock['body'], 'approvals'> = {
    act: 'change',
    grants: grantsOf(change),
    controllers: change.controllers ?? null,
    epoch: keys.epoch,
    packages: keys.packages,
    hold: change.hold ?? null,
    access: change.access ?? null,
    ...(change.recovery === undefined ? {} : { recovery: change.recovery }),
  }
  return { body, keys }
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
  const after = preview(before, { revoke: drop })
  const keys = await newKeys(context, replica, held, after, { isNew: true })
  const body: Omit<ControlBlock['body'], 'approvals'> = {
    act: 'rotate',
    grants: { put: [], remove: [...drop].toSorted() },
    controllers: null,
    epoch: keys.epoch,
    packages: keys.packages,
    hold: null,
    access: null,
  }
  const block = await signStep({ ...context, approvers: [] }, replica, () => ({ type: 'control', body }))
  return { block, append: appendOf(block, keys) }
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
    recovery: change.recovery === undefined ? before.recovery : change.recovery,
    grants: [...before.grants.filter((grant) => !gone.has(grant.institution)), ...put],
  }
}
