// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import type { Controller } from '#core/block/block.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import type { Signer } from '#core/ports/keys.ts'
import { makeSigner, memorySeen, type TestDeployment } from './deployment.ts'

/** A patient's device, or printed sheet: its keys, how a chain lists it, and what it sees of a home. */
export interface Device {
  readonly signer: Signer
  readonly member: Controller
  readonly connection: Connection
}

/** A device with keys of its own that reaches the home as `beside` does. */
export async function makeDevice({ random }: TestDeployment, beside: Connection): Promise<Device> {
  const signer = await makeSigner(random)
  const seed = random(32)
  const sealing = toBase64url(sealingPublicKey(seed))
  const identity = { reader: signer.kid, institution: null, signer, sealingSeed: async () => seed }
  return {
    signer,
    member: { kind: 'device', kid: signer.kid, jwk: signer.publicKey, sealing },
    connection: connect({ ...beside.ports, identity, seen: memorySeen() }),
  }
}

/** A patient who claimed a record: the phone controls it beside the institution, and two of phone, sheet and institution may recover it. */
export interface Claimed {
  readonly phone: Device
  readonly sheet: Device
  /** The institution as a controller. */
  readonly custodian: Controller
  readonly instance: Signer
}

/** Claims a record of an institution for a patient. */
export async function claimFor(
  world: TestDeployment,
  institution: string,
  a: Connection,
  record: ChainId,
): Promise<Claimed> {
  const { id, instance } = world.institution(institution)
  const custodian: Controller = { kind: 'institution', institution: id }
  const [phone, sheet] = [await makeDevice(world, a), await makeDevice(world, a)]
  const change = {
    controllers: { threshold: 1, members: [custodian, phone.member] },
    recovery: { threshold: 2, members: [phone.member, sheet.member, custodian] },
  }
  await changeChain(a, record, change, [instance, phone.signer, sheet.signer])
  return { phone, sheet, custodian, instance }
}
