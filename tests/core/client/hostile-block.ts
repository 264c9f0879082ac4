// SPDX-License-Identifier: Apache-2.0
import { deflateSync } from 'fflate'
import { fromUtf8, toBase64url } from '#core/bytes/encoding.ts'
import { concat, frame } from '#core/bytes/frame.ts'
import type { ChainId, CompartmentId, Digest, EntryId } from '#core/bytes/ids.ts'
import { describe as describeEntry, descriptorLeaf, packObject } from '#core/block/entries-object.ts'
import { encodeKeyRow, keyRowLeaves } from '#core/block/key-row.ts'
import type { Connection } from '#core/client/connect.ts'
import { rootOf } from '#core/log/merkle.ts'
import { encryptChunked } from '#core/seal/chunked.ts'
import { pad } from '#core/seal/padding.ts'
import { sealKeys } from '#core/seal/wraps.ts'
import { record as recordBlock, seal } from '#tests/core/chain/small-chain.ts'
import type { TestDeployment } from '#tests/deployment.ts'

/** Files one block of deflated entries with these plain bytes, as an author does who keeps no limit of opening. */
export async function fileDeflated(
  world: TestDeployment,
  author: { readonly connection: Connection; readonly institution: string },
  record: ChainId,
  plains: readonly Uint8Array[],
): Promise<{ readonly sealedBytes: number }> {
  const { random } = world
  const { api } = author.connection
  const replica = await author.connection.replica(record)
  const compartment = replica.link.state.compartments[0]?.id as CompartmentId
  // Deflating is what takes long: once for each content.
  const deflated = new Map([...new Set(plains)].map((plain) => [plain, deflateSync(plain, { level: 1 })]))
  const sealed = await Promise.all(
    plains.map(async (plain) => {
      const [id, dek] = [toBase64url(random(16)) as EntryId, random(32)]
      const context = frame('ampere-entry/v1', record, id, compartment)
      const body = pad(concat(new Uint8Array([1]), deflated.get(plain) ?? plain))
      const ciphertext = await encryptChunked(dek, random(24), context, body)
      return { ciphertext, dek, descriptor: await describeEntry(id, compartment, ciphertext) }
    }),
  )
  const descriptors = sealed.map(({ descriptor }) => descriptor)
  const root = toBase64url(rootOf(descriptors.map(descriptorLeaf))) as Digest
  const publicKey = Buffer.from(replica.epochs.get(1)?.[0]?.key ?? '', 'base64url')
  const row = await sealKeys({
    chain: record,
    root,
    epochKeys: [{ compartment, epoch: 1, publicKey }],
    deks: sealed.map(({ dek }) => ({ compartment, dek })),
    random,
  })
  const keys = toBase64url(rootOf(keyRowLeaves(row))) as Digest
  const rules = { history: await world.home.registry.refresh(), random }
  const bytes = descriptors.reduce((sum, { size }) => sum + size, 0)
  const draft = recordBlock(rules, replica.link, { count: plains.length, bytes, root, keys })
  const { time } = replica.link.opened.block
  const signer = world.institution(author.institution).instance
  const block = await seal(rules, replica.link, { ...draft, time }, signer)
  const object = packObject(
    descriptors,
    sealed.map(({ ciphertext }) => ciphertext),
  )
  await api.append({ block, row: fromUtf8(encodeKeyRow(row)), packages: [], labelKey: null, object })
  return { sealedBytes: object.length }
}
