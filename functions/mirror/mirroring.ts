// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import type { MirrorPorts } from '#core/server/mirror/copy-of.ts'
import { mirrorChains, type MirroredHome } from '#core/server/mirror/mirror.ts'
import type { Log } from '../host/telemetry.ts'

/** How often other homes are mirrored, in milliseconds: what a home acknowledges can be lost for that long. */
export const MIRROR_MS = 60_000

/** Mirroring on schedule: one run at a time, and a way to wait for the one that is under way. */
export interface Mirroring {
  readonly run: () => Promise<void>
  readonly ended: () => Promise<void>
}

type Homes = readonly { readonly ports: MirrorPorts; readonly home: MirroredHome }[]

/** Whoever calls while a run is under way gets that run. */
export function createMirroring(homes: Homes, log: Log): Mirroring {
  let running: Promise<void> | null = null
  return {
    run: () => {
      running ??= mirrorHomes(homes, log).finally(() => {
        running = null
      })
      return running
    },
    ended: async () => (await running) ?? undefined,
  }
}

/**
 * Mirrors homes one after the other. Never rejects: what fails is said in the log by its code, and tried the next time.
 */
export async function mirrorHomes(homes: Homes, log: Log): Promise<void> {
  for (const { ports, home } of homes) {
    try {
      const { added, erased, stated, problems } = await mirrorChains(ports, home)
      if (added > 0) log({ event: 'mirrored', role: 'mirror', count: added })
      if (erased > 0) log({ event: 'mirror-erased', role: 'mirror', count: erased })
      if (stated > 0) log({ event: 'mirror-stated', role: 'mirror', count: stated })
      for (const code of new Set(problems.map((each) => each.code))) {
        const count = problems.filter((each) => each.code === code).length
        log({ event: 'mirror-problems', role: 'mirror', code, count })
      }
    } catch (error) {
      log({ event: 'mirror-failed', role: 'mirror', code: isAmpereError(error) ? error.code : 'UNEXPECTED' })
    }
  }
}
