// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import type { Home } from '../../block/block.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { Signer } from '../../ports/keys.ts'
import type { Connection } from '../connect.ts'
import type { ChainEnd } from '../read/replica.ts'
import { signStep, type StepContext } from '../sign/sign-step.ts'
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
  const block = await signMove(stepContext(connection, approvers), await connection.replica(chain), home)
  return connection.submit({ block: block.compact, row: null, packages: [], labelKey: null, object: null })
}

/**
 * Signs the rehome of a chain that ends there, and gives it to nobody: where the old home is gone, it is for the new one alone.
 * @throws AmpereError VIOLATION naming the rule
 */
export function signMove(context: StepContext, end: ChainEnd, home: Home): Promise<ParsedBlock> {
  const from = end.link.state.home
  return signStep(context, end, () => ({ type: 'rehome', body: { home, from } }))
}
