// SPDX-License-Identifier: Apache-2.0
import { withSession, type ActingOptions } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'

/** Gives no record new keys until somebody runs the rotation again. */
export async function rotationPause(call: Call<ActingOptions>): Promise<number> {
  return withSession(call, async ({ open: { rotation } }) => {
    await rotation.pause()
    call.screen.print({ ok: true, state: 'paused' }, [
      'Rotation is paused: what is due stays due. Next: npx ampere rotation run',
    ])
    return EXIT.ok
  })
}
