// SPDX-License-Identifier: Apache-2.0
import { wrapPlatform } from '#adapters/around/calls.ts'
import { withFaults } from '#adapters/around/faults.ts'
import { LEASE_MS } from '#core/server/job/advance.ts'
import { scene, type Scene } from './uploads.ts'

/** A scene whose calls fail, or wait, as planned. */
export interface Faulty extends Scene {
  readonly faults: ReturnType<typeof withFaults>
  /** Is awaited before each call. */
  readonly gate: { before: (name: string) => Promise<unknown> }
}

export async function faulty(): Promise<Faulty> {
  const made: { faults?: ReturnType<typeof withFaults> } = {}
  const gate: Faulty['gate'] = { before: async () => null }
  const at = await scene({
    platform: (base) => {
      made.faults = withFaults(base)
      return wrapPlatform(made.faults.platform, async (name, act) => {
        await gate.before(name)
        return act()
      })
    },
  })
  if (!made.faults) throw new Error('the platform was not wrapped')
  return { ...at, faults: made.faults, gate }
}

/** Runs `act` until it succeeds, as a client does that is told to try again; time passes in between. */
export async function persevere(at: Faulty, act: () => Promise<void>): Promise<void> {
  for (let tries = 0; tries < 4; tries++) {
    try {
      return await act()
    } catch {
      at.faults.plan(() => null)
      at.world.clock.now += LEASE_MS
    }
  }
  throw new Error('it does not succeed')
}
