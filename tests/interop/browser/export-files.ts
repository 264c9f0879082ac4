// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type ChainId, type Digest } from '#core/bytes/ids.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { ERASE_DELAY_MS } from '#core/chain/rules/erase.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import type { Connection } from '#core/client/connect.ts'
import { generateSoftwareKey, softwareSigner } from '#core/crypto/signature.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { formatPolicy } from '#core/log/policy/policy.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { witnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { instanceRecords, ORIGIN, testDeployment, type TestDeployment } from '#tests/deployment.ts'

/** An export, and the id of the registry that it is of. */
export interface ExportFile {
  readonly bytes: Uint8Array
  readonly registry: Digest
}

const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** A record that two institutions wrote and from which one entry was erased: blocks by ES256, head by Ed25519. */
export async function exportOfTwoInstitutions(): Promise<ExportFile> {
  const world = await testDeployment()
  const [a, b] = [world.connect('hospital-a'), world.connect('hospital-b')]
  const record = await recordOf(a)
  await grantToB(world, a, record)
  const [misfiled] = await a.append(record, [entry('misfiled'), entry('x'.repeat(20_000))])
  await b.append(record, [entry('of the other hospital')])
  if (!misfiled) throw new Error('two entries were filed')
  const { instance, second } = world.institution('hospital-a')
  const request = await requestErasure(
    a,
    record,
    { scope: 'entries', entries: [misfiled], ground: 'misfiled' },
    { instances: [instance, second] },
  )
  world.clock.now += ERASE_DELAY_MS + 1000
  await settleErasure(a, record, request.block.height, 'complete')
  return { bytes: await exportRecord(a, record), registry: world.registryId }
}

/** An export whose blocks are all logged and cosigned, with policies by which to judge it. */
export interface LoggedExport extends ExportFile {
  /** Of the home's log and its witness. */
  readonly policy: string
  /** Of a log that the home has no part in. */
  readonly otherPolicy: string
  readonly blocks: number
}

export async function exportWithReceipts(): Promise<LoggedExport> {
  const { world, policy } = await witnessedWorld(['w1'], 1)
  const a = world.connect('hospital-a', { policy })
  const record = await recordOf(a)
  await a.append(record, [entry('logged')])
  await world.tendLog()
  const { notes } = await a.replica(record)
  const { key } = await signerOf('elsewhere.test/log', 'Ed25519', 5)
  return {
    bytes: await exportRecord(a, record),
    registry: world.registryId,
    policy: formatPolicy(policy),
    otherPolicy: `log ${formatVerifierKey(key)}\nquorum none\n`,
    blocks: notes.length,
  }
}

/** A record with one block by an instance whose key is ML-DSA-44, which no browser's WebCrypto has. */
export async function exportSignedWithMlDsa(): Promise<ExportFile> {
  const world = await testDeployment(['hospital-a'])
  const { id } = world.institution('hospital-a')
  const signer = await softwareSigner('ML-DSA-44', generateSoftwareKey('ML-DSA-44', world.random).seed)
  const { instance, key } = instanceRecords('hospital-a-3', id, signer, [])
  await world.change('hospital-a', [{ act: 'enrol', instance, key }])
  const record = await recordOf(world.connect('hospital-a'))
  await world.connect('hospital-a', { signer }).append(record, [entry('signed after quantum computers')])
  return { bytes: await exportRecord(world.connect('hospital-a'), record), registry: world.registryId }
}

async function recordOf(connection: Connection): Promise<ChainId> {
  const home = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
  return (await createRecord(connection, home, ['general'])).record
}

async function grantToB(world: TestDeployment, a: Connection, record: ChainId): Promise<void> {
  const compartments = (await a.replica(record)).link.state.compartments.map((compartment) => compartment.id)
  const { id: institution } = world.institution('hospital-b')
  await changeChain(a, record, {
    grant: [{ institution, rights: ['append', 'read'], compartments, until: null, limits: null }],
  })
}
