// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import type { Home } from '../../block/block.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { Signer } from '../../ports/keys.ts'
import type { Connection } from '../connect.ts'
import { signStep } from '../sign/sign-step.ts'
import { stepContext } from './submit.ts'

/**
 * Moves a chain to another home, which has a copy of it: signs the rehome and hands it to the home where the chain is, so that
 * nothing is acknowledged there any more. The chain goes on once the other home has that block too, as any block that it
 * copies, or from whoever hands it in there within the time that it allows.
 * @param approvers controllers who approve; this identity where there are none
 * @throws AmpereError VIOLATION naming the rule, CHAIN_MOVED when it left already
 */
export async function moveChain(
  connection: Connection,
  chain: ChainId,
  home: Home,
  approvers: readonly Signer[] = [],
): Promise<ParsedBlock> {
  const replica = await connection.replica(chain)
  const from = replica.link.state.home
  const block = await signStep(stepContext(connection, approvers), replica, () => ({
    type: 'rehome',
    body: { home, from },
  }))
  return connection.submit({ block: block.compact, row: null, packages: [], labelKey: null, object: null })
}
