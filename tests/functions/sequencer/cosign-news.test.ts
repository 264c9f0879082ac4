// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { withFaults } from '#adapters/around/faults.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { select } from '#core/ports/needs.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { role as sequencer } from '#functions/sequencer/role.ts'
import { COSIGN_AGAIN_MS, createSequencing } from '#functions/sequencer/sequencing.ts'
import { witnessedWorld } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }

/** A home whose log nobody looks after but the test, and how many rounds of cosigning an act begins. */
async function scene() {
  const holder: { faults?: ReturnType<typeof withFaults> } = {}
  const made = await witnessedWorld(['w1'], 1, (base) => (holder.faults = withFaults(base)).platform)
  const { world, policy } = made
  const ports = await select(world.platform, sequencer.needs)
  const sequencing = createSequencing(ports, world.home, policy, {
    log: silentLog,
    now: ports.now,
  })
  const a = world.connect('hospital-a')
  const { record } = await createRecord(a, HOME, ['general'])
  const append = () => a.append(record, [{ header: utf8('{}'), content: utf8('x'), compartment: 'general' }])
  /** A round begins by reading the published checkpoint, and reads no other row before it asks. */
  const roundsOf = async (act: () => Promise<unknown>) => {
    holder.faults?.plan(() => null)
    await act()
    return holder.faults?.calls().filter((call) => call === 'table.checkpoints.get').length
  }
  return { ...made, sequencing, append, roundsOf }
}

describe('cosigning for those who wait', () => {
  it('is one round for all of them, and no other within a second', async () => {
    const { clock, sequencing, roundsOf } = await scene()
    const { sequence, cosignNews } = sequencing
    const many = () => Promise.all(Array.from({ length: 20 }, () => cosignNews()))
    await sequence()
    expect(await roundsOf(many)).toBe(1)
    clock.now += COSIGN_AGAIN_MS - 1
    expect(await roundsOf(many)).toBe(0)
    clock.now += 1
    expect(await roundsOf(many)).toBe(1)
  })

  it('begins at once when something was logged since the last round began', async () => {
    const { sequencing, append, roundsOf } = await scene()
    const { sequence, cosignNews } = sequencing
    await sequence()
    await cosignNews()
    await append()
    expect(await roundsOf(cosignNews)).toBe(0)
    await sequence()
    expect(await roundsOf(() => Promise.all([cosignNews(), cosignNews()]))).toBe(1)
  })

  it('shares the rounds that begin on schedule', async () => {
    const { sequencing, roundsOf } = await scene()
    const { sequence, cosign, cosignNews } = sequencing
    await sequence()
    expect(await roundsOf(() => Promise.all([cosign(), cosignNews(), cosignNews()]))).toBe(1)
  })
})
