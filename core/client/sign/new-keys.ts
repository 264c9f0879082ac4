// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import type { Digest } from '../../bytes/ids.ts'
import type { EpochChange } from '../../block/block.ts'
import { packagesRoot } from '../../block/packages.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { Append, EpochPackage } from '../../api/append.ts'
import { readersGaining, readersOf, type ControlState } from '../../chain/state.ts'
import type { Replica } from '../read/replica.ts'
import { drawEpoch, packageFor, packageHistory, type EpochSecrets } from './make-epoch.ts'
import type { StepContext } from './sign-step.ts'

/** What a block says of the keys that it brings, and what is stored beside it. */
export interface BlockKeys {
  readonly epoch: EpochChange | null
  readonly packages: Digest | null
  readonly items: readonly EpochPackage[]
  readonly secrets: EpochSecrets | null
}

/**
 * The keys that a step needs after which the state is `after`: a new epoch where `isNew`, with packages for all and, unless `cut`, history; else packages of the
 * epoch that there is for those who gain something.
 * @param held the secrets of the epoch before
 */
export async function newKeys(
  context: Pick<StepContext, 'ports' | 'registry'>,
  replica: Replica,
  held: Pick<EpochSecrets, 'compartments' | 'labelKey'>,
  after: ControlState,
  how: { readonly isNew: boolean; readonly cut?: boolean; readonly toAll?: boolean },
): Promise<BlockKeys> {
  const before = replica.link.state
  const { isNew, cut = false, toAll = false } = how
  const secrets = isNew ? await drawEpoch(held.compartments, context.ports.random) : null
  const number = before.epoch.number + (secrets ? 1 : 0)
  const shown: ControlState = { ...after, epoch: { number, height: 0 } }
  const readers = secrets || toAll ? readersOf(after) : readersGaining(before, after)
  const items = [
    ...(await packageFor(replica.chain, shown, secrets ?? held, readers, context.registry.newest())),
    ...(secrets && !cut ? await packageHistory(replica.chain, held, secrets, number) : []),
  ]
  return {
    epoch: secrets && { compartments: [...secrets.keys], labelKeyHash: secrets.labelKeyHash, cut },
    packages: items.length === 0 ? null : packagesRoot(items),
    items,
    secrets,
  }
}

/** What is submitted with a block that brings keys. */
export function appendOf(block: ParsedBlock, { items, secrets }: BlockKeys): Append {
  const labelKey = secrets ? toBase64url(secrets.labelKey) : null
  return { block: block.compact, row: null, packages: [...items], labelKey, object: null }
}
