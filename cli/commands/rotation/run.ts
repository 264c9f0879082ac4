// SPDX-License-Identifier: Apache-2.0
import type { Rotation } from '#core/bridge/rotation/rotation.ts'
import { withSession, type ActingOptions } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { EXIT, type Screen } from '../../terminal/screen.ts'
import { counted } from '../../terminal/words.ts'
import { estimateJson, estimateLines, isWaiting, openJson, openLines } from './status.ts'

interface RunOptions extends ActingOptions {
  readonly perMinute?: number
  readonly dryRun?: boolean
}

/** How long a slice goes on before it is said how far it is. */
const SLICE_MS = 5_000
/** How often is looked whether another process is done. */
const LOOK_MS = 1_000

/** Gives every record that needs them new keys. */
export async function rotationRun(call: Call<RunOptions>): Promise<number> {
  const { screen, options } = call
  const isDry = options.dryRun === true
  return withSession(
    call,
    async ({ open: { rotation } }) => {
      const estimate = await rotation.estimate()
      const before = estimateJson(estimate)
      if (isDry) {
        const open = estimate.open.filter(({ why }) => why !== 'not-controlled')
        screen.print(
          { ok: open.length === 0, dryRun: true, estimate: before, rotated: 0, open: estimate.open },
          [...estimateLines(estimate), 'Nothing was changed (--dry-run).'],
        )
        return open.length === 0 ? EXIT.ok : EXIT.failed
      }
      for (const line of estimateLines(estimate)) screen.say(line)
      screen.stopping.keeps(() => 'What was rotated stays so; npx ampere rotation run goes on.')
      const state = await runToEnd(rotation, screen, options.perMinute)
      const { row, open } = await rotation.status()
      const ok = state === 'done' && !isWaiting(open)
      const { rotated } = row
      screen.print({ ok, dryRun: false, estimate: before, state, rotated, open: openJson(open) }, [
        state === 'done'
          ? `${counted(rotated, 'chain')} got new keys.`
          : 'Somebody paused the rotation. Next: npx ampere rotation status',
        ...openLines(open),
      ])
      return ok ? EXIT.ok : EXIT.failed
    },
    isDry ? 'look' : 'act',
  )
}

/** Slice by slice, whoever has the turn: where another process is at it, until that one is done. */
async function runToEnd(
  rotation: Rotation,
  { terminal, say }: Screen,
  perMinute: number | undefined,
): Promise<'done' | 'paused'> {
  await rotation.resume(perMinute)
  let isTold = false
  for (;;) {
    const { outcome, nextMs } = await rotation.slice(terminal.now() + SLICE_MS)
    switch (outcome) {
      case 'done':
      case 'idle':
        return 'done'
      case 'paused':
        return 'paused'
      case 'time':
        break
      case 'limit':
        await terminal.wait(Math.max(LOOK_MS, nextMs - terminal.now()))
        break
      case 'busy':
        if (!isTold) say('Another process is at it; waiting for its turn to end.')
        isTold = true
        await terminal.wait(LOOK_MS)
    }
  }
}
