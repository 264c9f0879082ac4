// SPDX-License-Identifier: Apache-2.0
import type { ChainId, EntryId, InstitutionId } from '../../bytes/ids.ts'
import { timestampMs, toTimestamp, type Timestamp } from '../../bytes/timestamp.ts'
import type { EraseBlock, Home } from '../../block/block.ts'
import { parseBlock, type ParsedBlock } from '../../block/open-block.ts'
import type { Append } from '../../api/append.ts'
import { ERASE_DELAY_MS } from '../../chain/rules/erase.ts'
import { AmpereError } from '../../errors.ts'
import type { Signer } from '../../ports/keys.ts'
import { recordOf } from '../../registry/snapshot.ts'
import type { RecordClient } from '../client.ts'
import type { Connection } from '../connect.ts'
import { syncRegistry, type Replica } from '../read/replica.ts'
import { signChange, signRotation, type Change, type EpochSource } from '../sign/change-chain.ts'
import {
  ACCESS_COMPARTMENTS,
  ownGrant,
  RECORD_COMPARTMENTS,
  signGenesis,
  type NewChain,
} from '../sign/create-chain.ts'
import { signStep, type Step, type StepContext } from '../sign/sign-step.ts'

/** Changes grants, controllers, hold or epoch. `approvers` beside this identity, if the threshold needs them. */
export async function changeChain(
  connection: Connection,
  chain: ChainId,
  change: Change,
  approvers: readonly Signer[] = [],
): Promise<ParsedBlock> {
  const replica = await connection.replica(chain)
  const source = { keyring: await connection.keyring(replica) }
  const step = stepContext(connection, approvers)
  const { append } = await signChange(step, replica, change, source)
  return submitAndSync(connection, append)
}

/** A new epoch for a chain, dropping readers whose institutions the registry no longer lists. */
export async function rotateChain(connection: Connection, chain: ChainId): Promise<ParsedBlock> {
  const replica = await connection.replica(chain)
  const newest = connection.sync.registry.newest()
  const gone = replica.link.state.grants
    .map((grant) => grant.institution)
    .filter((id) => recordOf(newest, 'institution', id)?.status !== 'active')
  const { append } = await signRotation(
    stepContext(connection, []),
    replica,
    gone,
    await connection.keyring(replica),
  )
  return submitAndSync(connection, append)
}

/** What is to be erased, and why. */
export interface Erasure {
  readonly scope: 'entries' | 'record'
  readonly entries: readonly { readonly height: number; readonly id: EntryId }[]
  readonly ground: EraseBlock['body']['ground']
}

/**
 * Requests an erasure. With `patient` (the patient's own devices) it may be completed at once,
 * otherwise after 72 hours; any controller cancels until then.
 */
export async function requestErasure(
  connection: Connection,
  chain: ChainId,
  erasure: Erasure,
  approvers: { readonly patient?: readonly Signer[]; readonly instances?: readonly Signer[] },
): Promise<ParsedBlock> {
  const replica = await connection.replica(chain)
  const patient = approvers.patient ?? []
  const delay = patient.length > 0 ? 0 : ERASE_DELAY_MS
  const context: StepContext = {
    ...stepContext(connection, []),
    author: patient[0] ?? connection.ports.identity.signer,
    approvers: patient.length > 0 ? patient : (approvers.instances ?? [connection.ports.identity.signer]),
  }
  const step = (time: Timestamp): Step => ({
    type: 'erase',
    body: {
      act: 'request',
      request: null,
      scope: erasure.scope,
      targets: targetsOf(erasure),
      ground: erasure.ground,
      notBefore: toTimestamp(timestampMs(time) + delay),
    },
  })
  return submitStep(connection, await signStep(context, replica, step))
}

/** Completes or cancels the erasure that the block at `height` requested. @throws AmpereError NOT_FOUND */
export async function settleErasure(
  connection: Connection,
  chain: ChainId,
  height: number,
  act: 'complete' | 'cancel',
): Promise<ParsedBlock> {
  const replica = await connection.replica(chain)
  const page = await connection.api.blocks(chain, height)
  const requested = page.items[0] ? parseBlock(page.items[0]) : null
  if (requested?.block.type !== 'erase' || requested.id !== replica.notes[height]?.id) {
    throw new AmpereError('NOT_FOUND', `block ${height} requests no erasure`)
  }
  const { approvals: _, ...rest } = requested.block.body
  const body = { ...rest, act, request: height }
  const context = { ...stepContext(connection, []), approvers: [] }
  return submitStep(connection, await signStep(context, replica, () => ({ type: 'erase', body })))
}

/** The client that a bridge uses: append, read, create. */
export function recordClient(connection: Connection, home: Home): RecordClient {
  return {
    append: (chain, entries) => connection.append(chain, entries),
    read: (chain) => connection.read(chain),
    accessChainOf: async (chain) => (await connection.replica(chain)).link.state.access,
    create: (options) => createRecord(connection, home, options?.compartments ?? RECORD_COMPARTMENTS),
  }
}

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

function stepContext(connection: Connection, approvers: readonly Signer[]): StepContext {
  const { signer } = connection.ports.identity
  return {
    ports: connection.ports,
    registry: connection.sync.registry,
    author: signer,
    approvers: approvers.length > 0 ? approvers : [signer],
  }
}

function submitStep(connection: Connection, block: ParsedBlock): Promise<ParsedBlock> {
  return submitAndSync(connection, {
    block: block.compact,
    row: null,
    packages: [],
    labelKey: null,
    object: null,
  })
}

/** Submits, then reads the news, so that the next append does not begin on an old head. */
async function submitAndSync(connection: Connection, append: Append): Promise<ParsedBlock> {
  const block = await connection.submit(append)
  await connection.replica(block.chain)
  return block
}

function targetsOf(erasure: Erasure): EraseBlock['body']['targets'] {
  const heights = [...new Set(erasure.entries.map((entry) => entry.height))].toSorted((a, b) => a - b)
  return heights.map((height) => ({
    height,
    ids: erasure.entries
      .filter((entry) => entry.height === height)
      .map((entry) => entry.id)
      .toSorted(),
  }))
}

function institutionOf(connection: Connection): InstitutionId {
  const { institution } = connection.ports.identity
  if (!institution) throw new AmpereError('FORBIDDEN', 'this identity belongs to no institution')
  return institution
}
