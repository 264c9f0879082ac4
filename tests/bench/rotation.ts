// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { loadavg } from 'node:os'
import type { ChainId } from '#core/bytes/ids.ts'
import { MAX_PER_MINUTE } from '#core/bridge/rotation/row.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { hpkeSeal, sealingPublicKey } from '#core/crypto/hpke.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { hospital, revokeInstance, type Hospital } from '#tests/core/bridge/rotation/hospital.ts'
import { START_MS, testDeployment } from '#tests/deployment.ts'
import { figure, inTurn, perSecond, ratios, time, type Bench } from './measure.ts'
import { HOME, inFolder, INSTITUTION, localPlatform } from './worlds/durable.ts'

const CHAINS = 250
const READERS = 20
const ROUNDS = 3
/** The run that is killed ends before this chain. */
const KILLED_AT = 100
const READER_NAMES = Array.from({ length: READERS }, (_, at) => `reader-${at}`)
/** Seals for one chain: a package for each reader and the controller, and the history of its one compartment. */
const SEALS = READERS + 2
/** As long as a package of one compartment is, in bytes, and its info. */
const PACKAGE_BYTES = 240
const INFO_BYTES = 120

export const bench: Bench = {
  question: `How fast do ${CHAINS} records of ${READERS} readers each get new keys, once a reader lost a key?`,
  run: () =>
    inFolder(async (folder) => {
      const { at, chains } = await records(join(folder, 'home'))
      const killed = await killedAndResumed(at, chains)
      const { rotation } = at.open()
      let revoked = 1
      const samples = await inTurn(
        {
          ours: async () => {
            // Who has a key revoked is a reader of all; this is not measured apart, and takes one block.
            await revokeInstance(at.world, READER_NAMES[revoked++] ?? '')
            await rotation.resume(MAX_PER_MINUTE)
            const { outcome } = await rotation.slice(START_MS + 1)
            const { row } = await rotation.status()
            if (outcome !== 'done' || row.rotated !== CHAINS)
              throw new Error(`${row.rotated} chains, ${outcome}`)
          },
          floor: sealAll,
        },
        ROUNDS,
      )
      await at.world.platform.close()
      const [ours, floor] = [perSecond(CHAINS, samples.ours), perSecond(CHAINS, samples.floor)]
      return {
        sizes: `${CHAINS} records of one compartment with ${READERS} readers and a controller; home and bridge in one process, the home on the local adapter; ${ROUNDS} rounds; load ${loadavg()[0]?.toFixed(1) ?? ''} at the end`,
        figures: [
          figure('new epochs: look, seal, sign, append, look again', 'chains/s', ours),
          figure(`floor: ${SEALS} HPKE seals and one new key for each`, 'chains/s', floor),
          figure('ratio to the floor', '', ratios(ours, floor), { atLeast: 0.5 }),
          figure('blocks for each record', '', [1]),
          figure(`a new process after a kill at chain ${KILLED_AT}: all that was left`, 'ms', [
            killed.wallMs,
          ]),
        ],
        doesNotShow:
          'a home across a network; a signer in a KMS, which signs twice for each block; the limit of chains in a minute, which is lifted here.',
      }
    }),
}

async function records(folder: string): Promise<{ at: Hospital; chains: readonly ChainId[] }> {
  const clock = { now: START_MS }
  const base = localPlatform(folder, clock)
  const world = await testDeployment([INSTITUTION, ...READER_NAMES], { base, clock })
  const at = await hospital(world)
  const { connection, patients } = at.open()
  const chains: ChainId[] = []
  for (let each = 0; each < CHAINS; each++) {
    const { record } = await createRecord(connection, HOME, ['general'])
    const { state } = (await connection.replica(record)).link
    const compartments = state.compartments.map(({ id }) => id)
    const grant = READER_NAMES.map((name) => ({
      institution: world.institution(name).id,
      rights: ['read' as const],
      compartments,
      until: null,
      limits: null,
    }))
    await changeChain(connection, record, { grant })
    await patients.link(`patient-${each}`, record)
    chains.push(record)
  }
  return { at, chains }
}

/** Rotates until the process is killed, then by another, which verifies what it does not know. @returns what that one took */
async function killedAndResumed(at: Hospital, chains: readonly ChainId[]) {
  await revokeInstance(at.world, READER_NAMES[0] ?? '')
  let posts = 0
  const dying: Fetch = async (request) => {
    if (request.method === 'POST' && ++posts > KILLED_AT) throw new TypeError('the process is gone')
    return at.world.fetch(request)
  }
  const first = at.open(at.world.connect(INSTITUTION, { fetch: dying }))
  await first.rotation.resume(MAX_PER_MINUTE)
  await first.run()
  const next = at.open(at.world.connect(INSTITUTION))
  await next.rotation.resume(MAX_PER_MINUTE)
  const sample = await time(async () => next.run())
  const newcomer = at.world.connect(INSTITUTION)
  for (const chain of chains) {
    const { epoch } = (await newcomer.replica(chain)).link.state
    if (epoch.number !== 2) throw new Error(`a chain is in epoch ${epoch.number}`)
  }
  return sample
}

const PUBLIC_KEY = sealingPublicKey(new Uint8Array(32).fill(3))

/** The primitives alone, a chain's at once, as they are sealed. */
async function sealAll(): Promise<void> {
  const [info, plaintext] = [new Uint8Array(INFO_BYTES), new Uint8Array(PACKAGE_BYTES)]
  for (let chain = 0; chain < CHAINS; chain++) {
    sealingPublicKey(crypto.getRandomValues(new Uint8Array(32)))
    await Promise.all(Array.from({ length: SEALS }, () => hpkeSeal(PUBLIC_KEY, info, plaintext)))
  }
}
