// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import { concat, uint32 } from '#core/bytes/frame.ts'
import type { Replica } from '#core/client/read/replica.ts'
import type { PublicJwk } from '#core/ports/keys.ts'
import { time, type Sample } from '../measure.ts'
import { durableDeployment, INSTITUTION } from './durable.ts'
import { newChain } from './prepared-chain.ts'
import { resourcesOfSize } from './samples.ts'
import { sealAppends } from './sealed-appends.ts'

/** How many clients send how many blocks a round, with one entry of so many bytes each. */
export interface ManyClients {
  readonly clients: number
  readonly each: number
  readonly rounds: number
  readonly bytes: number
}

/** Appends of one client, as they are sent. */
export type Bodies = readonly Uint8Array<ArrayBuffer>[]

/** What they will send: `rounds + 1` times `each` blocks per client. */
export interface PreparedClients {
  readonly chains: readonly Bodies[]
  readonly signer: PublicJwk
  /** What sealing and signing a round's worth took. */
  readonly sealing: readonly Sample[]
}

/** Every client's chain, and all its blocks sealed and signed: one round's worth at a time, all clients at once. */
export async function prepareClients(
  folder: string,
  { clients, each, rounds, bytes }: ManyClients,
): Promise<PreparedClients> {
  const world = await durableDeployment(folder)
  const connection = world.connect(INSTITUTION)
  const entries = resourcesOfSize(each, bytes).map((content) => [
    { header: utf8('{}'), content, compartment: 'general' },
  ])
  const chains: { replica: Replica; bodies: Uint8Array<ArrayBuffer>[] }[] = []
  for (let i = 0; i < clients; i++) chains.push({ replica: await newChain(world), bodies: [] })
  const sealing: Sample[] = []
  for (let round = -1; round < rounds; round++) {
    const sample = await time(() =>
      Promise.all(
        chains.map(async (chain) => {
          const { bodies, next } = await sealAppends(connection, chain.replica, entries)
          chain.replica = next
          chain.bodies.push(...bodies)
        }),
      ),
    )
    if (round >= 0) sealing.push(sample)
  }
  await world.platform.close()
  const signer = world.institution(INSTITUTION).instance.publicKey
  return { chains: chains.map(({ bodies }) => bodies), signer, sealing }
}

/** As children/send-appends.ts reads them: counts and lengths as uint32. */
export function packBodies(chains: readonly Bodies[]): Uint8Array {
  return concat(
    uint32(chains.length),
    ...chains.flatMap((bodies) => [
      uint32(bodies.length),
      ...bodies.flatMap((body) => [uint32(body.length), body]),
    ]),
  )
}
