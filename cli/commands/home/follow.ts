// SPDX-License-Identifier: Apache-2.0
import { select } from '#core/ports/needs.ts'
import { followRegistry } from '#core/server/follow/follow.ts'
import { FOLLOW_BOUNDS, FOLLOW_NEEDS } from '#core/server/follow/needs.ts'
import { dropFork } from '#core/server/follow/rows.ts'
import { withHome } from '../../deployment/session.ts'
import { originArgument } from '../../mirror/other-home.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'
import { counted } from '../../terminal/words.ts'

interface FollowOptions extends Common {
  readonly anew?: boolean
}

/**
 * Follows the registry once from another origin: where it moved from a home that is gone, nobody here can be told of that by the old
 * one. Every block is verified as always, so the origin is believed nothing.
 */
export function followFrom(call: Call<FollowOptions>): Promise<number> {
  const at = originArgument(call.args[0] ?? '')
  return withHome(
    call,
    () => [],
    async ({ home }) => {
      if (!home)
        throw refuse(
          'STORE_LOCKED',
          'a server of this deployment runs',
          'end it with Ctrl+C, then this command again',
        )
      const bounds = { ...FOLLOW_BOUNDS, deadline: (ms: number) => AbortSignal.timeout(ms) }
      const ports = await select(home.platform, FOLLOW_NEEDS)
      if (call.options.anew === true) await dropFork(ports)
      const { outcome, added, more } = await followRegistry(ports, home.home, bounds, at)
      call.screen.print({ ok: outcome !== 'forked', outcome, added, more }, [
        outcome === 'forked'
          ? 'The registry was shown with two histories. Both blocks are kept; nothing was taken.'
          : `${counted(added, 'block')} of the registry taken from ${at}${more ? '; there are more: the same command again' : ''}.`,
      ])
      return outcome === 'forked' ? EXIT.verification : EXIT.ok
    },
    'repair',
  )
}
