// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import type { HomeSource } from '#core/server/copy/source.ts'

/** Between two tries, in milliseconds. A provider is seldom away for longer; what ends then is gone on with. */
const AGAIN_MS = [1000, 2000, 4000, 8000, 16_000] as const

type Ask = (...given: never[]) => Promise<unknown>

/**
 * A source in a cloud, of which whatever cannot be had now is asked for again: reading changes nothing, and adapters ask once. A home
 * takes hours to read, and one answer that did not come is not to end that.
 */
export function patientSource(source: HomeSource, wait: (ms: number) => Promise<void>): HomeSource {
  const patient = Object.entries(source).map(([name, ask]: [string, Ask]) => [
    name,
    (...given: never[]) => asked(() => ask(...given), wait),
  ])
  return Object.fromEntries(patient) as HomeSource
}

async function asked(ask: () => Promise<unknown>, wait: (ms: number) => Promise<void>): Promise<unknown> {
  for (const ms of AGAIN_MS) {
    try {
      return await ask()
    } catch (error) {
      if (!isAmpereError(error, 'STORE_UNAVAILABLE')) throw error
      await wait(ms)
    }
  }
  return ask()
}
