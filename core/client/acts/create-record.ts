// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '../../bytes/ids.ts'
import type { Home } from '../../block/block.ts'
import type { Connection } from '../connect.ts'
import { syncRegistry, type Replica } from '../read/replica.ts'
import { signChange, type Change, type EpochSource } from '../sign/change-chain.ts'
import { ACCESS_COMPARTMENTS, ownGrant, signGenesis, type NewChain } from '../sign/create-chain.ts'
import { institutionOf, stepContext, submitAndSync } from './submit.ts'

/** Creates a record chain and its access chain, and grants this institution both. */
export async function createRecord(
  connection: Connection,
  home: Home,
  compartments: readonly string[],
): Promise<{ record: ChainId; access: ChainId }> {
  await syncRegistry(connection.sync)
  const record = await openChain(connection, home, { purpose: 'record', of: null, compartments })
  const access = await openChain(connection, home, {
    purpose: 'access',
    of: record.genesis.chain,
    compartments: ACCESS_COMPARTMENTS,
  })
  await firstControl(connection, access, {})
  await firstControl(connection, record, { access: access.genesis.chain })
  return { record: record.genesis.chain, access: access.genesis.chain }
}

async function openChain(
  connection: Connection,
  home: Home,
  what: { purpose: 'record' | 'access'; of: ChainId | null; compartments: readonly string[] },
): Promise<NewChain> {
  const { signer } = connection.ports.identity
  const created = await signGenesis(
    {
      ports: connection.ports,
      registry: connection.sync.registry,
      signer,
      institution: institutionOf(connection),
      home,
    },
    what,
  )
  await connection.submit(created.append)
  return created
}

async function firstControl(connection: Connection, created: NewChain, extra: Change): Promise<void> {
  const replica: Replica = await connection.replica(created.genesis.chain)
  const compartments = replica.link.state.compartments.map((compartment) => compartment.id)
  const change: Change = { ...extra, grant: [ownGrant(institutionOf(connection), compartments)] }
  const source: EpochSource = { fresh: created.secrets }
  const { append } = await signChange(stepContext(connection, []), replica, change, source)
  await submitAndSync(connection, append)
}
