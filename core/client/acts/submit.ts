// SPDX-License-Identifier: Apache-2.0
import type { InstitutionId } from '../../bytes/ids.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import type { Append } from '../../api/append.ts'
import { AmpereError } from '../../errors.ts'
import type { Signer } from '../../ports/keys.ts'
import type { Connection } from '../connect.ts'
import type { StepContext } from '../sign/sign-step.ts'

/** Who authors and approves a step: this identity, and `approvers` where the threshold needs others. */
export function stepContext(connection: Connection, approvers: readonly Signer[]): StepContext {
  const { signer } = connection.ports.identity
  return {
    ports: connection.ports,
    registry: connection.sync.registry,
    author: signer,
    approvers: approvers.length > 0 ? approvers : [signer],
  }
}

/** Submits a block that brings nothing but itself. */
export function submitStep(connection: Connection, block: ParsedBlock): Promise<ParsedBlock> {
  return submitAndSync(connection, {
    block: block.compact,
    row: null,
    packages: [],
    labelKey: null,
    object: null,
  })
}

/** Submits, then reads the news, so that the next append does not begin on an old head. */
export async function submitAndSync(connection: Connection, append: Append): Promise<ParsedBlock> {
  const block = await connection.submit(append)
  await connection.replica(block.chain)
  return block
}

/** @throws AmpereError FORBIDDEN for a device */
export function institutionOf(connection: Connection): InstitutionId {
  const { institution } = connection.ports.identity
  if (!institution) throw new AmpereError('FORBIDDEN', 'this identity belongs to no institution')
  return institution
}
