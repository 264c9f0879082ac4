// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { openMemory } from '#adapters/memory/open.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { witnessNameOf } from '#core/api/log.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { formatCosignatures, parseAddCheckpoint } from '#core/log/add-checkpoint.ts'
import { signCheckpointText } from '#core/log/note/cosignature.ts'
import { logSigner } from '#core/log/note/key.ts'
import { parseNote } from '#core/log/note/note.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { select } from '#core/ports/needs.ts'
import { createCosigner, type CosignReport } from '#core/server/cosign/cosigner.ts'
import { COSIGNER_NEEDS } from '#core/server/cosign/needs.ts'
import { FIRST_REST_MS, MAX_REST_MS } from '#core/server/cosign/rests.ts'
import { REFRESH_SECONDS } from '#core/server/cosign/state.ts'
import { ORIGIN, seededRandom } from '#tests/deployment.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'
import { witnessedWorld } from './witnessed-world.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const HOUR_MS = REFRESH_SECONDS * 1000

/** A home with a record and these witnesses, whose cosigner runs once a second by the clock of the test. */
async function scene(names: readonly string[], quorum: number) {
  const made = await witnessedWorld(names, quorum)
  const { world, policy, base, clock, between } = made
  const asked: string[] = []
  for (const [origin, to] of between)
    between.set(origin, async (request) => {
      asked.push(new URL(origin).hostname)
      return to(request)
    })
  const cosigner = createCosigner(await select(base, COSIGNER_NEEDS), world.home, policy)
  const connection = world.connect('hospital-a')
  const create = async () => void (await createRecord(connection, HOME, ['general']))
  await create()
  await world.tendLog()
  /** Runs so often, a second apart or more. @returns how often each witness was asked, and what came of the last run */
  const tick = async (runs: number, everyMs = 1000) => {
    asked.length = 0
    let last: CosignReport = await cosigner.run()
    for (let i = 1; i < runs; i++) {
      clock.now += everyMs
      last = await cosigner.run()
    }
    const counts = Object.fromEntries(
      names.map((name) => [name, asked.filter((one) => one === `${name}.test`).length]),
    )
    return { counts, last }
  }
  return { ...made, asked, tick, create }
}

/** Answers instead of `name` with good signatures of all its keys, and the time that it is told. */
async function signingAt(name: string, seed: number, time: () => number): Promise<Fetch> {
  const origin = `http://${name}.test`
  const platform = withKeptKeys(openMemory({ now: () => 0, random: seededRandom(seed) }), origin)
  const signers = [
    logSigner(witnessNameOf(origin), 'cosignature-Ed25519', await platform.signer('witness')),
    logSigner(witnessNameOf(origin), 'cosignature-ML-DSA-44', await platform.signer('witness-quantum')),
  ]
  return async (request) => {
    const { text } = parseNote(parseAddCheckpoint(await request.bytes()).note)
    const signatures = signers.map((signer) => signCheckpointText(signer, text, time()))
    return new Response(formatCosignatures(await Promise.all(signatures)))
  }
}

/** The same, counted. */
function counted(asked: string[], name: string, to: Fetch): Fetch {
  return async (request) => {
    asked.push(`${name}.test`)
    return to(request)
  }
}

const away: Fetch = async () => new Response('', { status: 503 })

describe('a cosigner of an idle log', () => {
  it('is satisfied with a fresh quorum, whatever time one more witness states', async () => {
    for (const time of [1, 4_000_000_000]) {
      const made = await scene(['w1', 'w2', 'w3'], 2)
      made.between.set('http://w3.test', counted(made.asked, 'w3', await signingAt('w3', 22, () => time)))
      await made.create()
      await made.world.tendLog()
      const { counts, last } = await made.tick(60)
      expect({ counts, last }).toMatchObject({
        // Each once, because what it saw may be more than this home knows.
        counts: { w1: 1, w2: 1, w3: 1 },
        last: { outcome: 'fresh', satisfied: true },
      })
    }
  })

  it('asks those it needs once an hour, and who is away less and less often until it answers once', async () => {
    const made = await scene(['w1', 'w2', 'w3'], 2)
    made.between.set('http://w3.test', counted(made.asked, 'w3', away))
    made.clock.now += HOUR_MS
    // Twice: the first time it does not know what they have.
    expect((await made.tick(120)).counts).toEqual({ w1: 2, w2: 2, w3: 7 })
  })

  it('asks only those whose own cosignature is old', async () => {
    const made = await scene(['w1', 'w2'], 2)
    const [, second = ''] = made.witnesses
    const there = made.between.get(second) as Fetch
    made.clock.now += HOUR_MS
    made.between.set(second, counted(made.asked, 'w2', away))
    const without = await made.tick(60)
    // At first twice, as it does not know what w1 has; and w2 0, 1, 3, 7, 15 and 31 seconds after the first time.
    expect(without).toMatchObject({ counts: { w1: 2, w2: 6 }, last: { outcome: 'resting' } })
    made.clock.now += MAX_REST_MS
    made.between.set(second, there)
    const { counts, last } = await made.tick(60)
    expect({ counts, last }).toMatchObject({ counts: { w1: 0, w2: 2 }, last: { outcome: 'fresh' } })
  })

  it('bothers a witness that is needed and whose clock is wrong less and less often, and says so', async () => {
    const made = await scene(['w1', 'w2'], 2)
    const behind = await signingAt('w2', 21, () => 1)
    made.between.set('http://w2.test', counted(made.asked, 'w2', behind))
    made.clock.now += HOUR_MS
    expect((await made.tick(1)).last).toMatchObject({
      outcome: 'asked',
      satisfied: true,
      failed: [],
      untimely: ['http://w2.test/witness'],
    })
    made.clock.now += 1000
    expect((await made.tick(59)).counts).toEqual({ w1: 0, w2: 5 })
  })

  it('never leaves one that fails alone for more than five minutes, and begins anew once it answered', async () => {
    const made = await scene(['w1'], 1)
    const [origin = ''] = made.witnesses
    const there = made.between.get(origin) as Fetch
    made.clock.now += HOUR_MS
    made.between.set(origin, counted(made.asked, 'w1', away))
    await made.tick(120, 30_000)
    expect((await made.tick(MAX_REST_MS / 10_000, 10_000)).counts).toEqual({ w1: 1 })
    made.between.set(origin, there)
    expect((await made.tick(MAX_REST_MS / 10_000, 10_000)).last.outcome).toBe('fresh')
    made.clock.now += HOUR_MS
    made.between.set(origin, counted(made.asked, 'w1', away))
    expect((await made.tick(1)).counts).toEqual({ w1: 1 })
    made.clock.now += FIRST_REST_MS
    expect((await made.tick(1)).counts).toEqual({ w1: 1 })
  })

  it('asks one that it left alone when the clock was set back', async () => {
    const made = await scene(['w1'], 1)
    made.between.set('http://w1.test', counted(made.asked, 'w1', away))
    made.clock.now += HOUR_MS
    await made.tick(1)
    made.clock.now -= HOUR_MS / 2 + MAX_REST_MS
    await made.create()
    await made.world.tendLog()
    expect((await made.tick(1)).counts).toEqual({ w1: 1 })
  })
})

describe('a new checkpoint', () => {
  it('goes at once to a witness whose clock is wrong, and not to one that is left alone', async () => {
    const made = await scene(['w1', 'w2', 'w3'], 3)
    const behind = await signingAt('w2', 21, () => 1)
    made.between.set('http://w2.test', counted(made.asked, 'w2', behind))
    made.between.set('http://w3.test', counted(made.asked, 'w3', away))
    made.clock.now += HOUR_MS
    await made.tick(30)
    await made.create()
    // Published by the world, whose own cosigner reaches nobody.
    const there = new Map(made.between)
    for (const name of made.witnesses) made.between.set(name, away)
    await made.world.tendLog()
    for (const [name, to] of there) made.between.set(name, to)
    expect((await made.tick(1)).counts).toEqual({ w1: 1, w2: 1, w3: 0 })
  })
})
