// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../../bytes/ids.ts'
import type { EpochChange } from '../../block/block.ts'
import { violation, type Violation } from '../../block/violation.ts'
import { readersGaining, type ControlState } from '../state.ts'
import { compartmentsOf } from './genesis.ts'

/** The keys that a control or recover block brings. */
export interface NewKeys {
  readonly epoch: EpochChange | null
  readonly packages: Digest | null
}

/** A new epoch has fresh keys for exactly the compartments of the chain, and packages. */
export function checkEpoch(before: ControlState, { epoch, packages }: NewKeys): Violation | null {
  if (!epoch) return null
  if (packages === null) return violation('packages', 'a new epoch brings no packages')
  const keys = compartmentsOf(epoch.compartments)
  const same =
    keys.length === before.compartments.length &&
    keys.every((key, i) => key.id === before.compartments[i]?.id)
  if (!same) return violation('epoch-compartments', 'an epoch covers exactly the compartments of the chain')
  if (keys.some((key) => before.compartments.some((old) => old.key === key.key))) {
    return violation('epoch-key', 'an epoch key is used again')
  }
  if (epoch.labelKeyHash === before.labelKeyHash) return violation('label-key', 'the label key is used again')
  return null
}

/** Nobody loses the right to read without new keys, and nobody gains it without a package. */
export function checkReaders(
  before: ControlState,
  after: ControlState,
  { epoch, packages }: NewKeys,
): Violation | null {
  if (!epoch && readersGaining(after, before).length > 0)
    return violation('epoch-missing', 'a reader is removed without a new epoch')
  if (packages === null && readersGaining(before, after).length > 0)
    return violation('packages', 'a new reader gets no package')
  return null
}

/** What a state keeps of new keys that a block at `height` brings. */
export function keysAfter(
  before: ControlState,
  epoch: EpochChange | null,
  height: number,
): Pick<ControlState, 'compartments' | 'epoch' | 'labelKeyHash'> {
  const { compartments, labelKeyHash } = before
  if (!epoch) return { compartments, epoch: before.epoch, labelKeyHash }
  return {
    compartments: compartmentsOf(epoch.compartments),
    epoch: { number: before.epoch.number + 1, height },
    labelKeyHash: epoch.labelKeyHash,
  }
}
