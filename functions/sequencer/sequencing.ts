// SPDX-License-Identifier: Apache-2.0
import { isAmpereError } from '#core/errors.ts'
import { coalesce } from '#core/order/coalesce.ts'
import type { Home } from '#core/server/home.ts'
import type { SequencerPorts } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import type { Log } from '../host/telemetry.ts'

/** How often the log is looked after, in milliseconds, where the process stays. */
export const SEQUENCE_MS = 1000

/**
 * Logs all that there is to log; whoever calls while it runs gets what the next run does. Never rejects: what fails is
 * said by its code, and the next run goes on from what was committed.
 */
export function createSequencing(ports: SequencerPorts, home: Home, log: Log): () => Promise<void> {
  const sequencer = createSequencer(ports, home)
  return coalesce(async () => {
    try {
      for (;;) {
        const { added, more, skipped } = await sequencer.run()
        if (added > 0) log({ event: 'logged', role: 'sequencer', count: added })
        if (skipped.length > 0)
          log({ event: 'log-skips', role: 'sequencer', code: 'STORE_CORRUPT', count: skipped.length })
        if (!more) return
      }
    } catch (error) {
      const code = isAmpereError(error) ? error.code : 'UNEXPECTED'
      log({ event: 'log-failed', role: 'sequencer', code })
    }
  })
}
