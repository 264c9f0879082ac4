// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { parseHead } from '#core/api/head.ts'
import { logOriginOf } from '#core/api/log.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { timestampMs } from '#core/bytes/timestamp.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { formatAddCheckpoint } from '#core/log/add-checkpoint.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { select } from '#core/ports/needs.ts'
import { addLog } from '#core/server/witness/logs.ts'
import { WITNESS_NEEDS } from '#core/server/witness/needs.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { STAND_MS } from '#functions/sequencer/standing-clock.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const HOUR_MS = 3_600_000

/** A home with a record, whose clock and whose readers' may leap. */
async function scene() {
  const world = await testDeployment(['hospital-a'])
  const { platform, home, clock, random } = world
  const passed = { ms: 0 }
  const { app, tendLog } = await homeApp(
    platform,
    home,
    { now: () => clock.now, random, log: silentLog },
    { elapsed: () => passed.ms },
  )
  const a = world.connect('hospital-a', { fetch: async (request) => app.fetch(request) })
  const { record } = await createRecord(a, HOME, ['general'])
  await tendLog()
  return {
    ...world,
    a,
    app,
    record,
    leap: (ms: number) => void (clock.now += ms),
    pass: (ms: number) => {
      clock.now += ms
      passed.ms += ms
    },
    timeOfHead: async () => timestampMs(parseHead((await a.api.head(record)).head).head.time),
  }
}

const REFUSED = { code: 'KEY_UNAVAILABLE' }

describe('a home whose clock has just leapt', () => {
  it('states no head, and goes on when that is taken back or has stood', async () => {
    const { clock, leap, pass, timeOfHead } = await scene()
    expect(await timeOfHead()).toBe(clock.now)
    leap(HOUR_MS)
    await expect(timeOfHead()).rejects.toMatchObject(REFUSED)
    leap(-HOUR_MS)
    expect(await timeOfHead()).toBe(clock.now)
    leap(HOUR_MS)
    await expect(timeOfHead()).rejects.toMatchObject(REFUSED)
    pass(STAND_MS)
    expect(await timeOfHead()).toBe(clock.now)
  })

  it('takes in no block: none later could be dated before it', async () => {
    const { a, record, leap } = await scene()
    const entry = { header: utf8('{}'), content: utf8('x'), compartment: 'general' }
    const before = (await a.replica(record)).notes.length
    // Both clocks are wrong.
    leap(HOUR_MS)
    await expect(a.append(record, [entry])).rejects.toMatchObject(REFUSED)
    leap(-HOUR_MS)
    expect((await a.replica(record)).notes.length).toBe(before)
    await a.append(record, [entry])
    expect((await a.replica(record)).notes.length).toBe(before + 1)
  })

  it('cosigns nothing', async () => {
    const { platform, app, logTrust, leap } = await scene()
    const ports = await select(platform, WITNESS_NEEDS)
    await addLog(ports, logOriginOf(ORIGIN), logTrust.keys.map(formatVerifierKey))
    const published = await platform.table('checkpoints').get('log', 'published')
    const note = fromUtf8(published?.value ?? utf8(''))
    const body = formatAddCheckpoint({ oldSize: 0, hashes: [], note })
    const ask = async () => {
      const request = new Request(new URL('/witness/add-checkpoint', ORIGIN), {
        method: 'POST',
        body: utf8(body),
      })
      return (await app.fetch(request)).status
    }
    leap(HOUR_MS)
    expect(await ask()).toBe(503)
    leap(-HOUR_MS)
    expect(await ask()).toBe(200)
  })
})
