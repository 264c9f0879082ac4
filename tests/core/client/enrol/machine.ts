// SPDX-License-Identifier: Apache-2.0
import { asInstanceId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { approvingChange, enrolmentByCode, sendApproval } from '#core/client/enrol/answer.ts'
import { makeEnrolment } from '#core/client/enrol/ask.ts'
import type { Connection } from '#core/client/connect.ts'
import { syncRegistry } from '#core/client/read/replica.ts'
import { sealingPublicKey } from '#core/crypto/hpke.ts'
import type { Fetch, Signer } from '#core/ports/keys.ts'
import { openEnrolment, type OpenedEnrolment } from '#core/registry/enrolment.ts'
import type { InstanceRecord } from '#core/registry/records.ts'
import { makeSigner, type TestDeployment } from '#tests/deployment.ts'

export const DAY_MS = 86_400_000
/** For how many days these tests enrol. */
export const DAYS = 100

/** A new machine with keys of its own and a request that it signed. */
export interface Machine {
  readonly signer: Signer
  readonly openWith: Uint8Array
  readonly asked: OpenedEnrolment
  readonly connection: Connection
}

/** How a machine differs from the plain one, which asks to read. */
export interface MachineOptions {
  readonly instance?: string
  readonly reads?: boolean
  readonly capabilities?: InstanceRecord['capabilities']
  readonly fetch?: Fetch
  readonly signer?: Signer
}

export async function makeMachine(world: TestDeployment, options: MachineOptions = {}): Promise<Machine> {
  const { instance = 'ward-7', reads = true, capabilities = ['create'], fetch = world.fetch } = options
  const signer = options.signer ?? (await makeSigner(world.random, 'ES256'))
  const openWith = world.random(32)
  const compact = await makeEnrolment(
    { now: () => world.clock.now, random: world.random },
    {
      registry: world.registryId,
      institution: world.institution('hospital-a').id,
      instance: asInstanceId(instance),
      capabilities,
      sealTo: reads ? sealingPublicKey(openWith) : null,
    },
    signer,
  )
  const asked = await openEnrolment(compact, world.home.verifiers)
  return { signer, openWith, asked, connection: world.connect('hospital-a', { signer, fetch }) }
}

/** The institution, as its administrator connects: by its root key. */
export function administrator(world: TestDeployment, fetch: Fetch = world.fetch): Connection {
  return world.connect('hospital-a', { signer: world.institution('hospital-a').root, fetch })
}

/** What an administrator does who was told a code; whatever was done of it already is not done again. */
export async function approve(world: TestDeployment, code: string, fetch?: Fetch): Promise<OpenedEnrolment> {
  const admin = administrator(world, fetch)
  const found = await enrolmentByCode(admin, code)
  await syncRegistry(admin.sync)
  const change = approvingChange(found, toTimestamp(world.clock.now + DAYS * DAY_MS))
  if (admin.sync.registry.since(`key/${change.key.kid}`) === null) {
    await world.change('hospital-a', [change])
    await syncRegistry(admin.sync)
  }
  const { root, sealingSeed } = world.institution('hospital-a')
  await sendApproval(admin, found, root, { seed: sealingSeed, log: ['log'] })
  return found
}
